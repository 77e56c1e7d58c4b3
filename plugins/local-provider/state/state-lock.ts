import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { readBootId, readProcessStat } from '../processes/process-stat.ts'

/**
 * Keeps a state directory for one process. The lock is a file that names its holder by pid and start time, so that what a
 * killed holder left is not taken for a lock, whoever has its pid by now.
 */
export class StateLock implements Disposable {
  readonly #path: string
  readonly #own: string

  /**
   * Takes the lock.
   * @throws Error naming the directory and the holder when another process has it
   */
  constructor(path: string, directory: string) {
    this.#path = path
    this.#own = describe(process.pid)
    for (let tries = 0; tries < 3; tries += 1) {
      if (this.#create()) return
      const held = read(path)
      if (isAlive(held)) throw inUse(directory, held)
      this.#takeAway(held)
    }
    throw inUse(directory, read(path))
  }

  /** Gives the lock up, unless somebody else has it by now. */
  [Symbol.dispose](): void {
    if (read(this.#path) === this.#own) rmSync(this.#path, { force: true })
  }

  /** Links a finished file to the lock's name: it is never seen half-written. */
  #create(): boolean {
    const draft = `${this.#path}.${process.pid}-${crypto.randomUUID()}`
    writeFileSync(draft, this.#own, { mode: 0o600 })
    try {
      linkSync(draft, this.#path)
      return true
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
      throw error
    } finally {
      rmSync(draft, { force: true })
    }
  }

  /** Removes a dead holder's file, and puts back what another process was quicker to take. */
  #takeAway(dead: string): void {
    const aside = `${this.#path}.${process.pid}-${crypto.randomUUID()}`
    try {
      renameSync(this.#path, aside)
      if (read(aside) !== dead) linkSync(aside, this.#path)
    } catch {
      // Somebody else took it away, or has a lock again: the next try tells.
    } finally {
      rmSync(aside, { force: true })
    }
  }
}

function describe(pid: number): string {
  return `${pid} ${readProcessStat(pid)?.startTicks ?? 0} ${readBootId()}\n`
}

function isAlive(held: string): boolean {
  const pid = Number(held.split(' ')[0])
  return Number.isInteger(pid) && pid > 0 && describe(pid) === held && readProcessStat(pid)?.state !== 'Z'
}

function inUse(directory: string, held: string): Error {
  return new Error(
    `the state directory "${directory}" is in use by process ${held.split(' ')[0] ?? 'unknown'}; ` +
      'stop that gateway, or give this one another directory (option stateDirectory of the plugin local-provider)',
  )
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
