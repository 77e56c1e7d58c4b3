import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import type tools from './debian-tools.json'

/** A program of Debian that a test may start; debian-tools.json says which package has it. */
export type DebianTool = keyof typeof tools

/**
 * Returns the absolute path of a program. Calling it declares the need: before the tests, ensure-tools.mjs looks for these
 * calls in the test files and installs what they name.
 *
 * @throws Error when the program is not installed; a test never passes by leaving it out
 */
export function toolPath(tool: DebianTool): string {
  // Daemons live in sbin, which is not on every user's PATH.
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  const found = folders.map((folder) => join(folder, tool)).find(isExecutable)
  if (found === undefined) throw new Error(`${tool} is not installed: run "node test/support/ensure-tools.mjs"`)
  return found
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
