import { Argument, Command, CommanderError } from 'commander'
import { environmentVariables } from './config/environment-variables.ts'
import type { Environment } from './config/environment.ts'
import { flags } from './config/flags.ts'
import type { GatewayConfig } from './config/gateway-config.ts'
import { loadConfig } from './config/load-config.ts'
import { printConfig } from './config/print-config.ts'
import { programVersion } from './config/version.ts'
import { GatewayError } from './errors/gateway-error.ts'

/** Exit code for wrong usage and wrong configuration. */
export const wrongUsage = 2

/** What the process shall do. */
export type Decision =
  | { readonly action: 'start'; readonly config: GatewayConfig }
  | { readonly action: 'exit'; readonly code: number; readonly stdout: string; readonly stderr: string }

/** What a process was started with. */
export interface Invocation {
  /** The arguments after the program's name. */
  readonly argv: readonly string[]
  readonly env: Environment
  readonly cwd: string
}

/** Decides from arguments, environment and configuration file what to do. Reads the file; writes and exits nothing. */
export function decide(invocation: Invocation): Decision {
  const output = { stdout: '', stderr: '' }
  const program = describeProgram(output)
  try {
    program.parse(invocation.argv, { from: 'user' })
    return act(program.opts(), invocation)
  } catch (error) {
    if (error instanceof CommanderError) return exit(error.exitCode === 0 ? 0 : wrongUsage, output)
    if (error instanceof GatewayError) return exit(wrongUsage, { stderr: `${error.message}\n` })
    throw error
  }
}

function act(options: Readonly<Record<string, string | boolean>>, invocation: Invocation): Decision {
  const textOf = (name: string): string | undefined => {
    const value = options[name]
    return typeof value === 'string' ? value : undefined
  }
  const config = loadConfig({
    argvConfigPath: textOf('config'),
    flags: Object.fromEntries(flags.map((flag) => [flag.name, textOf(toCamelCase(flag.name))])),
    env: invocation.env,
    cwd: invocation.cwd,
  })
  if (options['printConfig'] === true) return exit(0, { stdout: printConfig(config) })
  if (options['checkConfig'] === true) return exit(0, { stdout: 'configuration ok\n' })
  return { action: 'start', config }
}

function describeProgram(output: { stdout: string; stderr: string }): Command {
  const program = new Command('pilotlight')
    .description('An open gateway for functions: wakes them from zero and speaks the OpenFaaS API.')
    .addArgument(new Argument('[command]', 'what to do').choices(['start']).default('start'))
    .option('--config <file>', 'configuration file (YAML)')
    .option('--print-config', 'print the effective configuration as YAML, secrets masked, and exit')
    .option('--check-config', 'check the configuration and exit: 0 when it is usable, 2 with every fault when not')
    .version(programVersion(), '--version', 'print the version and exit')
    .helpOption('--help', 'print this help and exit')
    .addHelpText('after', environmentHelp())
    .exitOverride()
    .configureOutput({
      writeOut: (text) => (output.stdout += text),
      writeErr: (text) => (output.stderr += text),
    })
  for (const { name, placeholder, meaning } of flags) program.option(`--${name} <${placeholder}>`, meaning)
  return program
}

function environmentHelp(): string {
  const width = Math.max(...environmentVariables.map(({ name }) => name.length))
  const lines = environmentVariables.map(
    ({ name, meaning }) => `  ${name.padEnd(width)}  ${meaning.replaceAll('`', '')}`,
  )
  return [
    '',
    'A flag wins over the configuration file, the file over the environment, the environment over the default.',
    '',
    'Environment:',
    ...lines,
    '',
    'Documentation: README.md in the folder of this program.',
  ].join('\n')
}

function toCamelCase(name: string): string {
  return name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
}

function exit(code: number, output: { readonly stdout?: string; readonly stderr?: string }): Decision {
  return { action: 'exit', code, stdout: output.stdout ?? '', stderr: output.stderr ?? '' }
}
