import { dirname } from 'node:path'
import { durationOption } from '#core'
import { z } from 'zod'

const limit = durationOption.refine((milliseconds) => milliseconds > 0, 'must be longer than 0')
const port = z.int().min(1).max(65_535)
const recipe = z.strictObject({
  image: z.string().min(1),
  command: z.union([z.string().min(1), z.array(z.string()).min(1)]).optional(),
  mode: z.enum(['classic', 'http']).default('classic'),
  env: z.record(z.string(), z.string()).optional(),
})

/** The programs of the system, and the Node that runs the gateway. */
const defaultPath = `${dirname(process.execPath)}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`

/** Options of the local provider. Durations are Go text (`500ms`, `1m30s`) or seconds. */
export const localProviderOptions = z.strictObject({
  /** Port on 127.0.0.1 that the provider API listens on; 0 takes any free one. Default 0. */
  port: z.int().min(0).max(65_535).default(0),
  /**
   * Folder for deployed functions, secrets and records of processes; one gateway at a time. Default: `.pilotlight/local-provider`
   * below the working directory, or where that cannot be written, below the system's temporary folder.
   */
  stateDirectory: z.string().min(1).optional(),
  /** How images are run: `{ image, command, mode, env }`, first match wins, before the built-in ones. Default none. */
  catalogue: z.array(recipe).default([]),
  /** Whether the sample functions are deployed at start, at zero replicas. Default true. */
  samples: z.boolean().default(true),
  /** `PATH` of functions. Default: the folder of the gateway's Node, then the system's usual ones. */
  path: z.string().min(1).default(defaultPath),
  /** Ports that replicas listen on: one for the sidecar, one more for a server. Default 20000 to 29999, below those of outgoing connections. */
  replicaPorts: z
    .strictObject({ from: port, to: port })
    .refine(({ from, to }) => from <= to, 'from is beyond to')
    .default({ from: 20_000, to: 29_999 }),
  /** Most replicas of one function. Default 20. */
  maxReplicas: z.int().positive().default(20),
  /**
   * Most replicas at a time, of all functions together; each is a process of about 50 MB besides its function. Also most calls that one
   * replica forks for at a time; beyond it, they are answered 429. Default 256.
   */
  maxProcesses: z.int().positive().default(256),
  /** How long a server may take until it is ready, before it is killed and started again. Default 60s. */
  startTimeout: limit.prefault('60s'),
  /** How long calls in flight may take to end when a replica is stopped; what is left then is cut. Default 5s. */
  stopGrace: limit.prefault('5s'),
  /** Log lines that are kept per function; all together at most 1 MiB. Default 1,000. */
  logLines: z.int().positive().max(100_000).default(1_000),
})

/** Decoded {@link localProviderOptions}. */
export type LocalProviderOptions = z.infer<typeof localProviderOptions>
