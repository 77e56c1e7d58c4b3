import type { Writable } from 'node:stream'
import { PortAllocator, ProcessLauncher, ProcessRecords, type Clock, type Forwarder, type Random } from '#core/lean'
import { ForkedCalls } from './forked-calls.ts'
import { FrontedServer } from './fronted-server.ts'
import { FunctionOutput } from './function-output.ts'
import type { FunctionRunner } from './function-runner.ts'
import type { FunctionSettings } from './function-settings.ts'
import { ServerProcess } from './server-process.ts'
import { frontedUpstream, loopbackUpstream } from './upstream-url.ts'

/** What a function is run with. */
export interface RunnerDeps {
  readonly clock: Clock
  readonly random: Random
  /** To the function only; closed by whoever made it. */
  readonly forwarder: Forwarder
  /**
   * Where the function's output and the lines about it go. Must not block: node's own `process.stdout` does on a pipe that nobody reads,
   * a stream of `fs.createWriteStream` on its descriptor does not.
   */
  readonly output: { readonly stdout: Writable; readonly stderr: Writable }
}

/** Ports of servers that are started here: below those that the kernel gives to outgoing connections. */
const ports = { from: 20_000, to: 29_999 }

/**
 * Chooses how the function is run.
 * @throws GatewayError `config_invalid` when the settings do not say what to run, or name a place that is not allowed
 */
export function createFunctionRunner(settings: FunctionSettings, deps: RunnerDeps): FunctionRunner {
  if (settings.command.length === 0) return new FrontedServer(frontedUpstream(settings), settings, deps)
  const { clock } = deps
  const { processRecords, upstream, maxProcesses } = settings
  const address = upstream === undefined ? undefined : loopbackUpstream(upstream)
  const records = processRecords === undefined ? undefined : new ProcessRecords(processRecords)
  const launcher = new ProcessLauncher({ records, clock, maxProcesses })
  const output = new FunctionOutput(deps, settings)
  if (settings.mode === 'classic') return new ForkedCalls(settings, { launcher, output, clock })
  // Sidecars that start together on one machine have different pids, and so do not begin with the same port.
  const allocator = new PortAllocator({ range: ports, random: () => ((process.pid % 10_000) + 0.5) / 10_000 })
  return new ServerProcess(address, settings, { ...deps, launcher, output, ports: allocator })
}
