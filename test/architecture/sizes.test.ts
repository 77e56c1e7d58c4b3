import { describe, expect, it } from 'vitest'
import { measure, percentile } from '../support/code-sizes.ts'
import { sourceFiles } from '../support/source-files.ts'

describe('the size of the code', () => {
  it('stays below the ceilings: files 300 lines of code, functions 50', () => {
    const files = sourceFiles('core', 'plugins', 'sidecar').map(measure)
    const functions = files.flatMap((file) =>
      file.functions.map((one) => ({ ...one, name: `${file.path}: ${one.name}` })),
    )

    process.stdout.write(`${sizeTable(files, functions)}\n`)

    expect(files.length).toBeGreaterThan(40)
    expect(functions.length).toBeGreaterThan(100)
    expect(files.filter((file) => file.lines > 300).map((file) => file.path)).toEqual([])
    expect(functions.filter((one) => one.lines > 50).map((one) => one.name)).toEqual([])
  })

  it('is small for what is read first: index.ts of a plugin 80 lines, main.ts 60', () => {
    const files = sourceFiles('core', 'plugins', 'sidecar').map(measure)
    const tooLong = files
      .filter(({ path, lines }) => lines > firstRead(path))
      .map(({ path, lines }) => `${path}: ${lines}`)

    expect(tooLong).toEqual([])
  })

  it('counts neither blank lines nor comments', () => {
    const text =
      '/**\n * A.\n */\nexport function a(): number {\n\n  // why\n  return 1 /* x */\n}\n\nexport const b = (): void => {\n}\n'

    expect(measure({ path: 'a.ts', text })).toEqual({
      path: 'a.ts',
      lines: 5,
      functions: [
        { name: 'a', lines: 3 },
        { name: 'b', lines: 2 },
      ],
    })
  })
})

function firstRead(path: string): number {
  if (/^plugins\/[^/]+\/index\.ts$/.test(path)) return 80
  return path.endsWith('/main.ts') ? 60 : Number.POSITIVE_INFINITY
}

interface Measured {
  readonly lines: number
}

function sizeTable(files: readonly Measured[], functions: readonly Measured[]): string {
  const row = (name: string, measured: readonly Measured[], aim: string): string => {
    const lines = measured.map((one) => one.lines)
    const figures = [lines.length, percentile(lines, 0.5), percentile(lines, 0.9), percentile(lines, 1)]
    return `${name.padEnd(10)}${figures.map((figure) => String(figure).padStart(7)).join('')}   ${aim}`
  }
  return [
    `${''.padEnd(10)}${['count', 'p50', 'p90', 'most'].map((head) => head.padStart(7)).join('')}   aim`,
    row('files', files, 'p50 <= 80, p90 <= 170, most 300'),
    row('functions', functions, 'p50 <= 8, p90 <= 22, most 50'),
  ].join('\n')
}
