import { describe, expect, it } from 'vitest'
import { sourceFiles } from '../support/source-files.ts'

/** Node 22 strips types but knows neither of these; Node 24 does. */
const tooNew: readonly (readonly [string, RegExp])[] = [
  ['a `using` declaration', /^\s*(?:await\s+)?using\s+\w/m],
  ['AsyncDisposableStack or DisposableStack', /\b(?:Async)?DisposableStack\b/],
  ['RegExp.escape', /\bRegExp\.escape\b/],
]

describe('the sources that users run', () => {
  const files = sourceFiles('core', 'plugins', 'sidecar')

  it.each(tooNew)('do not need a newer Node than 22: %s', (_, pattern) => {
    expect(files.length).toBeGreaterThan(30)
    expect(files.filter(({ text }) => pattern.test(text)).map(({ path }) => path)).toEqual([])
  })
})
