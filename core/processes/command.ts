import { accessSync, constants, statSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'

/** Words without anything that a shell would interpret. */
const plainWords = /^[\w@%+:,./=-]+(?: +[\w@%+:,./=-]+)*$/

/**
 * Turns the text of `fprocess` into program and arguments. Plain words that start with a program on `path` are run as they
 * are; everything else (pipes, quotes, variables, a shell's own commands) is given to `/bin/sh -c`.
 *
 * @param path directories separated by `:`, in which a program without a slash is looked up
 */
export function parseCommand(text: string, path: string): readonly string[] {
  const trimmed = text.trim()
  if (plainWords.test(trimmed)) {
    const words = trimmed.split(/ +/)
    if (isProgram(words[0] ?? '', path)) return words
  }
  return ['/bin/sh', '-c', trimmed]
}

function isProgram(name: string, path: string): boolean {
  if (name.includes('/')) return isAbsolute(name) && isExecutable(name)
  return path.split(':').some((directory) => isAbsolute(directory) && isExecutable(join(directory, name)))
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}
