import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command, Option } from 'commander'
import { parse } from 'yaml'
import { parseDuration } from '../../core/config/duration.ts'
import type { GatewayConfig } from '../../core/config/gateway-config.ts'
import { maskUserInfo } from '../../core/config/mask-secrets.ts'
import { baseUrl, instanceKey, logFormat, logLevel } from '../../core/config/schema.ts'
import { programVersion } from '../../core/config/version.ts'
import type { AnnounceTarget } from '../../plugins/local-provider/announcements/http-announcer.ts'
import { localProviderOptions, type LocalProviderOptions } from '../../plugins/local-provider/options.ts'
import { Authorization } from '../../plugins/local-provider/server/authorization.ts'
import { decide, integerOf, WrongUsage, type Decision } from './command-line.ts'

/** What a local provider runs with as a process of its own. */
export interface ProviderSettings {
  readonly options: LocalProviderOptions
  readonly namespace: string
  readonly authorization: Authorization
  readonly announceTo: readonly AnnounceTarget[]
  /** What sidecars sign their reports to gateways with; undefined when they do not report to them. */
  readonly instanceKey: string | undefined
  readonly gracePeriodMs: number
  readonly logLevel: GatewayConfig['logLevel']
  readonly logFormat: GatewayConfig['logFormat']
}

interface Flags {
  readonly port?: string
  readonly stateDirectory?: string
  readonly samples: boolean
  readonly options?: string
  readonly namespace: string
  readonly secrets?: string
  readonly announceTo?: string
  readonly instanceKeyFile?: string
  readonly gracePeriod: string
  readonly logLevel: GatewayConfig['logLevel']
  readonly logFormat: GatewayConfig['logFormat']
}

/** OpenFaaS's providers listen there. */
const defaultPort = 8081

/** Decides from the arguments what to do. Reads the files that they name; writes and exits nothing. */
export function decideProvider(argv: readonly string[]): Decision<ProviderSettings> {
  return decide(describe(), argv, (program) => toSettings(program.opts<Flags>()))
}

function toSettings(flags: Flags): ProviderSettings {
  return {
    options: optionsOf(flags),
    namespace: flags.namespace,
    ...accountOf(flags),
    instanceKey: instanceKeyOf(flags),
    gracePeriodMs: durationOf('--grace-period', flags.gracePeriod),
    logLevel: flags.logLevel,
    logFormat: flags.logFormat,
  }
}

function describe(): Command {
  return new Command('local-provider')
    .description('Runs functions as processes of this machine, behind the OpenFaaS provider API on 127.0.0.1.')
    .option('--port <number>', `port to listen on, 0 takes any free one (default: ${defaultPort})`)
    .option('--state-directory <path>', 'folder for deployed functions and secrets; one provider at a time')
    .option('--no-samples', 'do not deploy the sample functions')
    .option('--namespace <name>', 'namespace of functions that are named without one', 'openfaas-fn')
    .option('--secrets <folder>', 'ask for the account in its files basic-auth-user and basic-auth-password')
    .option('--announce-to <urls>', 'gateways to tell when a function is ready, separated by commas')
    .option(
      '--instance-key-file <file>',
      "the gateways' PILOTLIGHT_INSTANCE_KEY_FILE: replicas report to them by themselves",
    )
    .option('--grace-period <duration>', 'at the end: how long calls under way may take to finish', '10s')
    .option('--options <file>', 'more options of the plugin local-provider, such as the catalogue (YAML)')
    .addOption(
      new Option('--log-level <level>', 'least severe lines to write').choices(logLevel.options).default('info'),
    )
    .addOption(new Option('--log-format <format>', 'shape of log lines').choices(logFormat.options).default('text'))
    .version(programVersion(), '--version', 'print the version and exit')
    .helpOption('--help', 'print this help and exit')
    .addHelpText(
      'after',
      `
Gateways reach it by functions_provider_url=http://127.0.0.1:<port>/ and function_namespace=<name>.
Without --secrets, whoever reaches the port may run programs here; with it, gateways need basic_auth=true and
secret_mount_path=<folder>, and are told of ready functions with the same account, unless their URL has one.
With --instance-key-file, gateways send calls to the replicas directly.

Documentation: plugins/local-provider/README.md.`,
    )
}

function optionsOf({ port, stateDirectory, samples, options: file }: Flags): LocalProviderOptions {
  const given = {
    port: defaultPort,
    ...(file === undefined ? {} : optionsIn(file)),
    ...(port === undefined ? {} : { port: integerOf('--port', port, { least: 0, most: 65_535 }) }),
    ...(stateDirectory === undefined ? {} : { stateDirectory }),
    ...(samples ? {} : { samples: false }),
  }
  const decoded = localProviderOptions.safeParse(given)
  if (decoded.success) return decoded.data
  const faults = decoded.error.issues.map(({ path, message }) => `  ${path.join('.') || 'options'}: ${message}`)
  throw new WrongUsage(['options of local-provider are invalid:', ...faults].join('\n'))
}

function optionsIn(file: string): object {
  let content: unknown
  try {
    content = parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new WrongUsage(
      `--options: "${file}" cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
  if (typeof content === 'object' && content !== null && !Array.isArray(content)) return content
  throw new WrongUsage(`--options: "${file}" holds no options`)
}

function accountOf({ secrets, announceTo = '' }: Flags): Pick<ProviderSettings, 'authorization' | 'announceTo'> {
  const authorization =
    secrets === undefined
      ? Authorization.open()
      : Authorization.of(secretIn(secrets, 'basic-auth-user'), secretIn(secrets, 'basic-auth-password'))
  const urls = announceTo.split(',').flatMap((text) => text.trim() || [])
  return { authorization, announceTo: urls.map((url) => targetOf(url, authorization)) }
}

/** The same least length as of the gateways. */
function instanceKeyOf({ instanceKeyFile: path }: Flags): string | undefined {
  if (path === undefined) return undefined
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new WrongUsage(
      `--instance-key-file: ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
  const decoded = instanceKey.safeParse(text.trim())
  if (decoded.success) return decoded.data
  throw new WrongUsage(`--instance-key-file: ${path}: ${decoded.error.issues.map(({ message }) => message).join('; ')}`)
}

function secretIn(folder: string, name: string): string {
  const path = join(folder, name)
  let secret: string
  try {
    secret = readFileSync(path, 'utf8').trim()
  } catch (error) {
    throw new WrongUsage(`--secrets: ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
  if (secret === '') throw new WrongUsage(`--secrets: ${path} is empty`)
  return secret
}

function targetOf(text: string, own: Authorization): AnnounceTarget {
  const decoded = baseUrl.safeParse(text)
  if (!decoded.success) throw new WrongUsage(`--announce-to: "${maskUserInfo(text)}" is no http or https URL`)
  const url = new URL(decoded.data)
  const { username, password } = url
  url.username = ''
  url.password = ''
  if (username === '' && password === '') return { url, authorization: own.header }
  try {
    const { header } = Authorization.of(decodeURIComponent(username), decodeURIComponent(password))
    return { url, authorization: header }
  } catch {
    throw new WrongUsage(`--announce-to: user and password of ${url.host} are not percent-encoded`)
  }
}

function durationOf(flag: string, text: string): number {
  const milliseconds = parseDuration(text)
  if (milliseconds !== undefined) return milliseconds
  throw new WrongUsage(`${flag}: expected a duration such as "30s", got "${text}"`)
}
