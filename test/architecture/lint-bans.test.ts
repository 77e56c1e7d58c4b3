import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runNode } from '../support/run-process.ts'
import { projectRoot } from '../support/source-files.ts'

/** What may not be written, where it is tried, and the rule that must refuse it. */
const bans = [
  ['setTimeout outside core/time', 'core/a.ts', 'setTimeout(() => undefined, 1)', 'no-restricted-globals'],
  [
    'setTimeout by way of globalThis',
    'core/b.ts',
    'globalThis.setTimeout(() => undefined, 1)',
    'no-restricted-globals',
  ],
  [
    'timers by import',
    'plugins/x/c.ts',
    "import { setTimeout as s } from 'node:timers/promises'\nawait s(1)",
    'no-restricted-imports',
  ],
  ['Date.now', 'plugins/x/d.ts', 'export const d = Date.now()', 'no-restricted-properties'],
  ['performance.now', 'core/e.ts', 'export const e = performance.now()', 'no-restricted-properties'],
  ['Math.random', 'sidecar/f.ts', 'export const f = Math.random()', 'no-restricted-properties'],
  ['process.env', 'plugins/x/g.ts', "export const g = process.env['HOME']", 'no-restricted-properties'],
  ['process.env taken apart', 'core/h.ts', 'const { env } = process\nexport const h = env', 'no-restricted-properties'],
  ['process.exit', 'core/i.ts', 'process.exit(1)', 'no-restricted-properties'],
  [
    'undici outside core/http',
    'core/j.ts',
    "import { Pool } from 'undici'\nexport const j = Pool",
    'no-restricted-imports',
  ],
  [
    'http-proxy outside core/http',
    'core/k.ts',
    "import p from 'http-proxy'\nexport const k = p",
    'no-restricted-imports',
  ],
  [
    'ioredis outside core/redis',
    'core/l.ts',
    "import { Redis } from 'ioredis'\nexport const l = Redis",
    'no-restricted-imports',
  ],
  [
    'tsyringe outside core/container',
    'core/m.ts',
    "import { container } from 'tsyringe'\nexport const m = container",
    'no-restricted-imports',
  ],
  [
    'the OTel SDK',
    'core/n.ts',
    "import { View } from '@opentelemetry/sdk-metrics'\nexport const n = View",
    'no-restricted-imports',
  ],
  ['any', 'core/o.ts', 'export function o(x: any): void {\n  String(x)\n}', 'no-explicit-any'],
  [
    'the non-null assertion',
    'core/p.ts',
    'export const p = (x?: string): number => x!.length',
    'no-non-null-assertion',
  ],
  ['a default export', 'core/q.ts', 'export default 1', 'no-default-export'],
  ['console', 'core/r.ts', "console.log('x')", 'no-console'],
  ['a file name in camel case', 'core/someName.ts', 'export const s = 1', 'filename-case'],
  ['four parameters', 'core/t.ts', 'export const t = (a: 1, b: 1, c: 1, d: 1): number => a + b + c + d', 'max-params'],
  [
    'a value import for a type',
    'core/u.ts',
    "import { Stats } from 'node:fs'\nexport type U = Stats",
    'consistent-type-imports',
  ],
  ['vi.mock', 'test/v.test.ts', "import { vi } from 'vitest'\nvi.mock('./x.ts')", 'no-restricted-vi-methods'],
  ['a promise that nobody awaits', 'core/w.ts', 'Promise.resolve(1)', 'no-floating-promises'],
] as const

/** The same where it is at home. */
const allowed = [
  ['setTimeout in core/time', 'core/time/a.ts', 'setTimeout(() => undefined, 1)'],
  ['Date.now in core/time', 'core/time/b.ts', 'export const b = Date.now()'],
  ['undici in core/http', 'core/http/c.ts', "import { Pool } from 'undici'\nexport const c = Pool"],
  ['process.env in core/launch.ts', 'core/launch.ts', "export const d = process.env['HOME']"],
  ['the default export of a plugin', 'plugins/x/index.ts', 'const e = 1\nexport default e'],
] as const

interface Diagnostic {
  readonly code: string
  readonly filename: string
}

describe('the lint rules', () => {
  let folder: string
  let found: readonly Diagnostic[]

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'pilotlight-lint-'))
    // Here oxlint finds tsgolint, without which rules that need types are silent.
    symlinkSync(join(projectRoot, 'node_modules'), join(folder, 'node_modules'))
    for (const file of ['.oxlintrc.json', 'tsconfig.json', 'package.json'])
      cpSync(join(projectRoot, file), join(folder, file))
    for (const [, path, text] of [...bans, ...allowed]) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), `${text}\n`)
    }
    const { stdout } = await runNode([join(projectRoot, 'node_modules/oxlint/bin/oxlint'), '--format', 'json'], {
      cwd: folder,
    })
    found = JSON.parse(stdout).diagnostics
  })

  afterAll(() => rmSync(folder, { recursive: true }))

  it.each(bans)('refuse %s', (_, path, _text, rule) => {
    const codes = found.filter((one) => one.filename === path).map((one) => one.code)

    expect(codes).toContainEqual(expect.stringContaining(`(${rule})`))
  })

  it.each(allowed)('allow %s', (_, path) => {
    expect(found.filter((one) => one.filename === path)).toEqual([])
  })
})
