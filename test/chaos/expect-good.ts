import { expect } from 'vitest'
import { judge, type Evidence } from './oracle.ts'

/** Prints a run in one line, and fails the test when the oracle finds anything wrong with it. */
export function expectGood(evidence: Evidence): void {
  const { violations, summary } = judge(evidence)
  process.stdout.write(`${summary}\n`)
  expect(violations).toEqual([])
}
