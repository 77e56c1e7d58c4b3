import { Command, Option } from 'commander'
import { programVersion } from '../../core/config/version.ts'
import type { ClusterOptions } from './cluster-options.ts'
import { decide, integerOf, type Decision } from './command-line.ts'

/** What the command runs with. */
export interface ClusterSettings {
  readonly options: ClusterOptions
  /** Whether everything that programs write is shown. */
  readonly isVerbose: boolean
}

interface Flags {
  readonly gateways: string
  readonly port: string
  readonly redis: boolean
  readonly basicAuth?: boolean
  readonly balancer?: 'haproxy' | 'nginx'
  readonly verbose?: boolean
}

/** Every gateway is a process: more of them than this only wait for each other. */
const mostGateways = 32

/** Decides from the arguments what to do. */
export function decideCluster(argv: readonly string[]): Decision<ClusterSettings> {
  return decide(describe(), argv, (program) => toSettings(program.opts<Flags>()))
}

function toSettings({ gateways, port, redis, basicAuth, balancer, verbose }: Flags): ClusterSettings {
  return {
    isVerbose: verbose === true,
    options: {
      gateways: integerOf('--gateways', gateways, { least: 1, most: mostGateways }),
      port: integerOf('--port', port, { least: 0, most: 65_535 }),
      redis: redis ? 'start' : 'none',
      basicAuth: basicAuth === true,
      ...(balancer === undefined ? {} : { balancer }),
    },
  }
}

function describe(): Command {
  return new Command('npm run cluster --')
    .description('Several gateways, one provider, one Redis and a balancer, all on this machine, until Ctrl-C.')
    .option('--gateways <number>', 'how many', '3')
    .option('--port <number>', 'port of the balancer on 127.0.0.1, 0 takes any free one', '8080')
    .option('--basic-auth', 'ask for a password at /system and /ui; it is made for this run and printed')
    .option('--no-redis', 'leave each gateway alone: each wakes functions by itself')
    .addOption(new Option('--balancer <name>', 'default: haproxy, else nginx').choices(['haproxy', 'nginx']))
    .option('--verbose', 'show what all programs write, not only where their logs are')
    .version(programVersion(), '--version', 'print the version and exit')
    .helpOption('--help', 'print this help and exit')
    .addHelpText(
      'after',
      `
Variables of the environment are passed on to the gateways, but for addresses, provider and Redis, which the cluster sets.
Needs the Debian packages redis-server and haproxy (or nginx-light).

Documentation: deploy/cluster/README.md.`,
    )
}
