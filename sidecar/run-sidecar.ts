import {
  createLeanForwarder,
  GatewayError,
  LogDestination,
  openPeerServers,
  openStandardOutput,
  systemRandom,
  SystemClock,
} from '#core/lean'
import type { Readable } from 'node:stream'
import { createFunctionRunner } from './function/create-runner.ts'
import { TextLogger } from './log/text-logger.ts'
import { parentGone } from './parent-pipe.ts'
import type { SidecarSettings } from './settings/sidecar-settings.ts'
import { rehearse } from './rehearsal.ts'
import { Sidecar } from './sidecar.ts'
import { flushed } from './log/flushed.ts'

type Signal = 'SIGTERM' | 'SIGINT'

/** The process, as far as running concerns it. */
export interface SidecarHost {
  readonly stdin: Readable
  on(signal: Signal, listener: () => void): unknown
  exit(code: number): never
}

/** Who runs a sidecar. */
export interface RunSidecarDeps {
  readonly host: SidecarHost
  /** Called as soon as calls are accepted. */
  readonly onStarted: () => void
}

const forwarding = { maxConnectionsPerUpstream: 4_096, maxHeaderBytes: 65_536, connectTimeoutMs: 5_000 }

/**
 * Runs one sidecar until SIGTERM, SIGINT or, where that is a setting, the end of standard input; then lets calls finish, and stops the
 * function. A second signal ends at once.
 * @returns the exit code
 */
export async function runSidecar(settings: SidecarSettings, { host, onStarted }: RunSidecarDeps): Promise<number> {
  const clock = new SystemClock()
  const output = { stdout: openStandardOutput('stdout'), stderr: openStandardOutput('stderr') }
  const destination = new LogDestination({
    stream: output.stderr,
    clock,
    onDropped: (lines) => log.warn('log lines dropped: the reader is too slow', { lines }),
  })
  const log = new TextLogger({ destination, clock })
  const forwarder = createLeanForwarder(clock, forwarding)
  let code = 0
  try {
    const { certificates } = settings.listen
    const peers = certificates === '' ? undefined : await openPeerServers(certificates, { clock, log })
    const runner = createFunctionRunner(settings.function, { clock, random: systemRandom, forwarder, output })
    const sidecar = new Sidecar(settings, { clock, random: systemRandom, log, runner, peers })
    const signalled = firstSignal(host, () => log.warn('second signal: exiting at once'))
    const stopping = settings.leaving.withParent ? Promise.race([signalled, parentGone(host.stdin)]) : signalled
    const addresses = await sidecar.start()
    onStarted()
    if (settings.function.mode !== 'classic') void rehearse({ clock, log, forwarder, isOver: () => runner.isReady })
    log.info('sidecar listening', { instance: settings.instance.id, ...addresses })
    await stopping
    await sidecar.stop()
    peers?.[Symbol.dispose]()
    log.info('stopped')
  } catch (error) {
    code = error instanceof GatewayError && error.code === 'config_invalid' ? 2 : 1
    log.error(`pilotlight sidecar cannot start: ${error instanceof Error ? error.message : String(error)}`)
  }
  await forwarder[Symbol.asyncDispose]()
  await destination.close()
  await flushed(output.stdout, clock)
  return code
}

function firstSignal(host: SidecarHost, onSecond: () => void): Promise<void> {
  return new Promise((resolve) => {
    let received = 0
    const on = (): void => {
      received += 1
      if (received === 1) {
        resolve()
        return
      }
      onSecond()
      host.exit(1)
    }
    host.on('SIGTERM', on)
    host.on('SIGINT', on)
  })
}
