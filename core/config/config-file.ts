import { readFileSync } from 'node:fs'
import { LineCounter, parseDocument, type Document } from 'yaml'
import type { z } from 'zod'
import { fileSchema, type Settings } from './schema.ts'
import type { ReadSettings } from './text-settings.ts'

/**
 * Reads the configuration file. Every fault names the file, and the line where it is known; none is thrown. A file
 * with faults sets nothing.
 *
 * @param path absolute
 * @param shownPath the path as the user wrote it, for messages
 */
export function readConfigFile(path: string, shownPath: string): ReadSettings {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : messageOf(error)
    return { settings: {}, faults: [{ where: shownPath, text: `cannot be read (${reason})` }] }
  }
  return decode(text, shownPath)
}

function decode(text: string, shownPath: string): ReadSettings {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const problems = [...document.errors, ...document.warnings]
  if (problems.length > 0) {
    const faults = problems.map((problem) => ({
      where: `${shownPath}:${lines.linePos(problem.pos[0]).line}`,
      text: `not valid YAML: ${problem.message}`,
    }))
    return { settings: {}, faults }
  }
  return validate(document, lines, shownPath)
}

function validate(document: Document, lines: LineCounter, shownPath: string): ReadSettings {
  let content: unknown
  try {
    content = document.toJS()
  } catch (error) {
    // Aliases are followed only here: unknown ones, and ones that would multiply beyond all bounds.
    return { settings: {}, faults: [{ where: shownPath, text: `not valid YAML: ${messageOf(error)}` }] }
  }
  const result = fileSchema.safeParse(content ?? {})
  // zod leaves absent keys absent, which the type it infers does not say.
  if (result.success) return { settings: result.data as Settings, faults: [] }
  const faults = result.error.issues
    .flatMap(perKey)
    .map(({ path, message }) => ({ path, message, line: lineOf(document, lines, path) }))
    .toSorted((one, other) => (one.line ?? 0) - (other.line ?? 0))
    .map(({ path, message, line }) => {
      const place = line === undefined ? shownPath : `${shownPath}:${line}`
      return { where: path.length === 0 ? place : `${place}: ${toDotted(path)}`, text: message }
    })
  return { settings: {}, faults }
}

interface Problem {
  readonly path: readonly PropertyKey[]
  readonly message: string
}

/** zod reports all unknown keys of an object at once and at the object; users look for each where it stands. */
function perKey(issue: z.core.$ZodIssue): Problem[] {
  if (issue.code !== 'unrecognized_keys') return [{ path: issue.path, message: issue.message }]
  return issue.keys.map((key) => ({ path: [...issue.path, key], message: 'unknown key' }))
}

/** The line of the key (or list item) at `path`; of the nearest parent that exists when it has none. */
function lineOf(document: Document, lines: LineCounter, path: readonly PropertyKey[]): number | undefined {
  for (let length = path.length; length > 0; length -= 1) {
    const node: unknown = document.getIn(path.slice(0, length), true)
    if (typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range)) {
      return lines.linePos(Number(node.range[0])).line
    }
  }
  return undefined
}

function toDotted(path: readonly PropertyKey[]): string {
  return path
    .map((part, at) => (typeof part === 'number' ? `[${part}]` : `${at === 0 ? '' : '.'}${String(part)}`))
    .join('')
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
