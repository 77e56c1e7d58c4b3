import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** The Debian package of each program that the cluster may start. */
const packages: Readonly<Record<string, string>> = {
  'redis-server': 'redis-server',
  haproxy: 'haproxy',
  nginx: 'nginx-light',
}

/** What the cluster needs is not on this machine. */
export class MissingPrograms extends Error {
  constructor(names: readonly string[]) {
    const wanted = names.map((name) => packages[name] ?? name).join(' ')
    super(`the cluster needs ${names.join(' and ')}: install the Debian packages with "apt-get install ${wanted}"`)
    this.name = 'MissingPrograms'
  }
}

/** Returns the absolute path of a program, or undefined. Daemons live in sbin, which is not on every user's PATH. */
export function findProgram(name: string, path: string = process.env['PATH'] ?? ''): string | undefined {
  const folders = [...path.split(delimiter), '/usr/sbin', '/usr/local/sbin', '/sbin']
  return folders.map((folder) => join(folder || '.', name)).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
