import type { Readable } from 'node:stream'

/**
 * Resolves when the pipe has ended whose other end only the parent process has: it has closed it, or is gone, however it ended.
 * @param pipe what comes through it is dropped
 */
export function parentGone(pipe: Readable): Promise<void> {
  return new Promise((resolve) => {
    for (const event of ['end', 'close', 'error']) pipe.once(event, () => resolve())
    pipe.resume()
  })
}
