/** A terminal signals a command and whoever runs it, who may pass it on: what follows so soon is the same Ctrl-C. */
const sameWithinMs = 300

/** What a process is told by signals. */
export interface StopSignals {
  /** Resolves with the first SIGINT or SIGTERM. */
  readonly first: Promise<NodeJS.Signals>
  /** Resolves with the second one. */
  readonly second: Promise<NodeJS.Signals>
}

/** Listens for SIGINT and SIGTERM from now on, until the process ends. */
export function stopSignals(): StopSignals {
  const first = Promise.withResolvers<NodeJS.Signals>()
  const second = Promise.withResolvers<NodeJS.Signals>()
  let firstAtMs: number | undefined
  const onSignal = (signal: NodeJS.Signals): void => {
    const nowMs = performance.now()
    firstAtMs ??= nowMs
    first.resolve(signal)
    if (nowMs - firstAtMs > sameWithinMs) second.resolve(signal)
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  return { first: first.promise, second: second.promise }
}
