import { Command } from 'commander'
import { programVersion } from '../../core/config/version.ts'
import { decide, integerOf, WrongUsage, type Decision } from '../cluster/command-line.ts'
import { gatewayUrl } from '../../sidecar/membership/gateway-url.ts'
import type { InjectOptions } from './inject-options.ts'

/** What the command runs with. */
export interface InjectSettings {
  readonly options: InjectOptions
  /** File that is read; `-` is the standard input. */
  readonly file: string
}

interface Flags {
  readonly file: string
  readonly native?: boolean
  readonly classic?: boolean
  readonly all?: boolean
  readonly image: string
  readonly gateways: string
  readonly keySecret: string
  readonly functionPort?: string
  readonly functionMetrics: string
}

/** Decides from the arguments what to do. */
export function decideInject(argv: readonly string[]): Decision<InjectSettings> {
  return decide(describe(), argv, (program) => toSettings(program.opts<Flags>()))
}

function toSettings(flags: Flags): InjectSettings {
  const { file, native, classic, all, image, gateways, keySecret, functionPort, functionMetrics } = flags
  if (native === true && classic === true) throw new WrongUsage('--native and --classic: choose one')
  if (!/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/.test(keySecret)) {
    throw new WrongUsage(`--key-secret: expected the name of a Secret, got "${keySecret}"`)
  }
  if (!/^\S+$/.test(image)) throw new WrongUsage(`--image: expected the name of an image, got "${image}"`)
  return {
    file,
    options: {
      form: classic === true ? 'classic' : 'native',
      takesAll: all === true,
      image,
      gateways: checkedGateways(gateways),
      keySecret,
      functionPort:
        functionPort === undefined ? undefined : integerOf('--function-port', functionPort, { least: 1, most: 65_535 }),
      functionMetrics,
    },
  }
}

function checkedGateways(text: string): string {
  const urls = text.split(',').map((one) => one.trim())
  try {
    for (const url of urls) gatewayUrl(url)
  } catch (error) {
    throw new WrongUsage(`--gateways: ${error instanceof Error ? error.message : String(error)}`)
  }
  return urls.join(',')
}

function describe(): Command {
  return new Command('pilotlight inject')
    .description(
      'Adds the sidecar to the functions in Kubernetes manifests. Reads YAML, writes YAML; changes no cluster.',
    )
    .option('-f, --file <path>', 'manifests to read, - is the standard input', '-')
    .option('--native', 'as an init container that goes on running (default; Kubernetes 1.29 and newer)')
    .option('--classic', 'as one more container of the pod')
    .option('--all', 'take every Deployment for a function, not only those with the label faas_function')
    .option('--image <name>', 'image of the sidecar', 'pilotlight:latest')
    .option('--gateways <urls>', 'gateways to report to, comma-separated', 'http://gateway.openfaas:8080')
    .option(
      '--key-secret <name>',
      'Secret whose entry instance-key is shared with the gateways',
      'pilotlight-instance-key',
    )
    .option('--function-port <port>', 'move the function there by its variable port; the sidecar takes its place')
    .option('--function-metrics <path or URL>', "the function's own metrics, shown with those of the sidecar", '')
    .version(programVersion(), '--version', 'print the version and exit')
    .helpOption('--help', 'print this help and exit')
    .addHelpText(
      'after',
      `
Manifests go to the standard output; what to know about them, to the error output. Exit code 0: done, or nothing to do;
1: refused, nothing is written; 2: wrong usage.

  kubectl get deploy,service -n openfaas-fn -o yaml | pilotlight inject | kubectl apply -f -

Documentation: deploy/README.md.`,
    )
}
