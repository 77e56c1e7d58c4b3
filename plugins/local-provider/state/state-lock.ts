import { once } from 'node:events'
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import type { StateDirectory } from './state-directory.ts'

/**
 * Keeps a state directory for one process: a socket in Linux's abstract namespace, named after the directory's inode. Only
 * one process can have it, and the kernel takes it back when that process ends, however it ends. A file tells who has it.
 *
 * @see unix(7), "Abstract sockets"
 */
export class StateLock implements AsyncDisposable {
  readonly #socket: Server
  readonly #file: string

  private constructor(socket: Server, file: string) {
    this.#socket = socket
    this.#file = file
  }

  /** @throws Error naming the directory and its holder when another process has it */
  static async take({ path, lockFile }: StateDirectory): Promise<StateLock> {
    const { dev, ino } = statSync(path)
    const socket = createServer((peer) => peer.destroy())
    socket.listen(`\0pilotlight-local-provider-${dev}-${ino}`)
    try {
      await once(socket, 'listening')
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')
        throw inUse(path, holderIn(lockFile))
      throw error
    }
    socket.unref()
    writeFileSync(lockFile, `${process.pid}\n`, { mode: 0o600 })
    return new StateLock(socket, lockFile)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    rmSync(this.#file, { force: true })
    await new Promise((resolve) => this.#socket.close(resolve))
  }
}

function inUse(directory: string, holder: string): Error {
  return new Error(
    `the state directory "${directory}" is in use by ${holder}; stop that gateway, or give this one another directory ` +
      '(option stateDirectory of the plugin local-provider)',
  )
}

/** The file of a process that has just begun may not be there yet. */
function holderIn(file: string): string {
  try {
    return `process ${readFileSync(file, 'latin1').trim()}`
  } catch {
    return 'another process'
  }
}
