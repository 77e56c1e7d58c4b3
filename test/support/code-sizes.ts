import type { SourceFile } from './source-files.ts'

/** Code lines (neither blank nor comment) of one file, and of each named function or method in it. */
export interface FileSizes {
  readonly path: string
  readonly lines: number
  readonly functions: readonly { readonly name: string; readonly lines: number }[]
}

const functionStart =
  /^(\s*)(?:export )?(?:default )?(?:static )?(?:async )?(?:function\*? (\w+)|(?:readonly |get |set )?(#?\w+|\[Symbol\.\w+\])(?:<[^>]*>)?\()/
const arrowStart = /^(\s*)(?:export )?(?:const |readonly )?(#?\w+)(?:: [^=]+)? = (?:async )?(?:<[^>]*>)?\(/
const statements = new Set(['if', 'for', 'while', 'switch', 'catch', 'return'])

/** Measures a formatted file: a function ends at the first closing brace as deep as its first line. */
export function measure(file: SourceFile): FileSizes {
  const all = file.text.split('\n')
  const isCode = codeLines(all)
  const functions = all.flatMap((line, at) => {
    const start = startOf(line)
    const end = start === undefined ? -1 : endOf(all, at, start.indent)
    return start === undefined || end === -1
      ? []
      : [{ name: start.name, lines: isCode.slice(at, end + 1).filter(Boolean).length }]
  })
  return { path: file.path, lines: isCode.filter(Boolean).length, functions }
}

function startOf(line: string): { readonly indent: string; readonly name: string } | undefined {
  const [, indent = '', ...names] = functionStart.exec(line) ?? arrowStart.exec(line) ?? []
  const name = names.find((found) => found !== undefined)
  return name === undefined || statements.has(name) ? undefined : { indent, name }
}

/** The line of the closing brace, or -1 for what only looks like a function: signatures and calls have no body. */
function endOf(lines: readonly string[], start: number, indent: string): number {
  const isSplit = lines[start]?.endsWith('(') === true
  const head = isSplit ? lines.find((line, at) => at > start && line.startsWith(`${indent})`)) : lines[start]
  if (head === undefined || !/(?:\{|=>)$/.test(head)) return -1
  return lines.findIndex((line, at) => at > start && line.startsWith(`${indent}}`))
}

/** The value that a share of `values` does not exceed. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0
}

function codeLines(lines: readonly string[]): readonly boolean[] {
  let isInComment = false
  return lines.map((line) => {
    const text = line.trim()
    const opens = text.startsWith('/*')
    const isCode = text !== '' && !isInComment && !opens && !text.startsWith('//')
    isInComment = (isInComment || opens) && !text.includes('*/')
    return isCode
  })
}
