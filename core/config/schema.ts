import { availableParallelism } from 'node:os'
import { z } from 'zod'
import { GatewayError } from '../errors/gateway-error.ts'
import { AddressRules } from '../instances/address-rules.ts'
import { parseRedisUrl } from '../redis/redis-url.ts'
import { formatDuration, parseDuration } from './duration.ts'
import { maskUserInfo } from './mask-secrets.ts'

/** Most gateway processes on one port: each takes about 100 MB. */
const maxWorkers = 128

/** A Go duration (`1m30s`) or an integer of seconds; decodes to milliseconds. */
export const duration = z.unknown().transform((value, context) => {
  const isText = typeof value === 'string' || typeof value === 'number'
  const milliseconds = isText ? parseDuration(String(value)) : undefined
  if (milliseconds !== undefined) return milliseconds
  const message = `expected a duration such as "30s", "1m30s" or an integer of seconds, got ${JSON.stringify(value)}`
  context.addIssue({ code: 'custom', message })
  return z.NEVER
})

/** An http or https URL; decodes to one whose path ends in `/`, without query and fragment. */
export const baseUrl = z.string({ error: urlWanted }).transform((value, context) => {
  const url = URL.parse(value)
  if (url === null || !/^https?:$/.test(url.protocol)) {
    context.addIssue({ code: 'custom', message: urlWanted({ input: value }) })
    return z.NEVER
  }
  if (!url.pathname.endsWith('/')) url.pathname += '/'
  url.search = ''
  url.hash = ''
  return url
})

/**
 * A forward proxy: an http or https URL, or `host[:port]`, which Go takes for http; decodes as {@link baseUrl} does.
 * User and password are decodable.
 */
export const proxyUrl = z
  .string({ error: urlWanted })
  .transform((text) => (text.includes('://') ? text : `http://${text}`))
  .pipe(baseUrl)
  .refine(hasReadableCredentials, 'user and password of the URL are not percent-encoded')

/** An integer as text. */
export const integerText = z
  .string()
  .regex(/^[+-]?\d+$/, 'expected an integer')
  .transform(Number)

/** A TCP port; 0 takes any free one. */
export const port = z.int().min(0).max(65_535)

/** Which engine forwards plain requests. */
export const engine = z.enum(['h1', 'undici', 'http-proxy'])

/** The least severe lines that are written. */
export const logLevel = z.enum(['debug', 'info', 'warn', 'error', 'silent'])

/** The shape of log lines. */
export const logFormat = z.enum(['text', 'json'])

/** How many gateway processes share the port; `auto` is as many as there are processors for this process. */
export const workers = z.union(
  [z.literal('auto').transform(() => Math.min(availableParallelism(), maxWorkers)), z.int().min(1).max(maxWorkers)],
  {
    error: ({ input }) => `expected "auto" or a number from 1 to ${maxWorkers}, got ${JSON.stringify(input)}`,
  },
)

/** The same, as text. */
export const workersText = z
  .string()
  .transform((text) => (/^\d+$/.test(text) ? Number(text) : text))
  .pipe(workers)

/** Where gateways coordinate, in a form that redis-url.ts reads; empty for within the process. */
export const redisUrl = z.string().superRefine((url, context) => {
  const fault = url === '' ? undefined : parseRedisUrl(url).fault
  if (fault !== undefined) context.addIssue({ code: 'custom', message: fault })
})

/** What the names of a fleet's keys and channels start with. Without braces, for these have a meaning in a Cluster. */
export const redisPrefix = z
  .string()
  .regex(/^[A-Za-z0-9._:-]{1,64}$/, 'expected 1 to 64 letters, digits, dots, colons, hyphens or underscores')

/** Longest time for one command. */
export const redisTimeout = durationWithin(10, 10_000)

/** Time after which another gateway may take over what a silent one was waking. */
export const leaseTtl = durationWithin(200, 60_000)

/** What gateways and sidecars sign with. Whoever sees a report could try all short keys. */
export const instanceKey = z.string().min(16, 'expected a key of at least 16 characters')

const networks = z.array(z.string().superRefine(refuseOtherThanNetwork)).min(1)

/** Networks that instances may be in. */
export const instanceNetworks = networks.readonly()

/** The same, as text. */
export const instanceNetworksText = z
  .string()
  .transform((text) => text.split(',').map((network) => network.trim()))
  .pipe(networks)

/** Time after which an instance that has gone silent is forgotten. */
export const instanceTtl = durationWithin(300, 600_000)

const pluginEntry = z.preprocess(
  (entry) => (typeof entry === 'string' ? { use: entry } : entry),
  z.strictObject(
    { use: z.string().min(1), options: z.unknown().optional() },
    { error: 'expected the name of a plugin or an object with "use" and "options"' },
  ),
)

/**
 * What the configuration file may say. Keys are those of `GatewayConfig`, durations without the `Ms` because their
 * values carry a unit. Every key may be absent; unknown keys are refused.
 */
export const fileSchema = z
  .strictObject({
    host: z.string(),
    port,
    metricsPort: port,
    functionsProviderUrl: baseUrl,
    logsProviderUrl: baseUrl,
    readTimeout: duration,
    writeTimeout: duration,
    upstreamTimeout: duration,
    functionNamespace: z.string(),
    scaleFromZero: z.boolean(),
    basicAuth: z.boolean(),
    secretMountPath: z.string().min(1),
    prometheusUrl: baseUrl.nullable(),
    httpProxy: proxyUrl,
    httpsProxy: proxyUrl,
    noProxy: z.string(),
    maxConnectionsPerUpstream: z.int().min(1),
    writeRequestUri: z.boolean(),
    redisUrl,
    redisPrefix,
    redisTimeout,
    leaseTtl,
    instanceKey,
    instanceKeyFile: z.string().min(1),
    instanceNetworks,
    instanceTtl,
    instanceTls: z.string(),
    workers,
    holdTimeout: duration,
    quietPeriod: duration,
    gracePeriod: duration,
    engine,
    maxHeaderBytes: z.int().min(1024),
    maxHeaderLines: z.int().min(1),
    replayBodyBytes: z.int().min(0),
    trustForwarded: z.boolean(),
    logLevel,
    logFormat,
    pluginSetupTimeout: duration,
    plugins: z.array(pluginEntry),
    pluginOptions: z.record(z.string(), z.unknown()),
  })
  .partial()

type FileContent = z.output<typeof fileSchema>

/** What one source (flags, file or environment) says; what it does not mention is absent, never undefined. */
export type Settings = { readonly [Key in keyof FileContent]?: Exclude<FileContent[Key], undefined> }

function hasReadableCredentials({ username, password }: URL): boolean {
  try {
    decodeURIComponent(`${username}:${password}`)
    return true
  } catch {
    return false
  }
}

function toRules(network: string): AddressRules {
  return new AddressRules([network])
}

function refuseOtherThanNetwork(network: string, context: z.RefinementCtx): void {
  try {
    toRules(network)
  } catch (error) {
    context.addIssue({ code: 'custom', message: GatewayError.from(error).message })
  }
}

function durationWithin(leastMs: number, mostMs: number): z.ZodType<number> {
  const message = `expected a duration from ${formatDuration(leastMs)} to ${formatDuration(mostMs)}`
  return duration.refine((milliseconds) => milliseconds >= leastMs && milliseconds <= mostMs, message)
}

function urlWanted({ input }: { readonly input?: unknown }): string {
  const got = typeof input === 'string' ? maskUserInfo(input) : input
  return `expected an http or https URL, got ${JSON.stringify(got)}`
}
