/**
 * Watches the event loop of this process, one turn after the other: while it does, the loop never rests. A turn is measured in
 * processor time, so that a busy machine does not count as a block.
 */
export class LoopProbe {
  #longestUs = 0
  #usedUs = 0
  #isWatching = false

  start(): void {
    this.#longestUs = 0
    this.#usedUs = threadUs()
    this.#isWatching = true
    setImmediate(() => this.#turn())
  }

  /** Returns the processor time of the longest turn, in milliseconds. */
  stop(): number {
    this.#isWatching = false
    return this.#longestUs / 1000
  }

  #turn(): void {
    const usedUs = threadUs()
    this.#longestUs = Math.max(this.#longestUs, usedUs - this.#usedUs)
    this.#usedUs = usedUs
    if (this.#isWatching) setImmediate(() => this.#turn())
  }
}

function threadUs(): number {
  // Linux brings the time of a thread that runs up to date only when it is asked for that of the process; else it is up to 4 ms old.
  process.cpuUsage()
  const { user, system } = process.threadCpuUsage()
  return user + system
}
