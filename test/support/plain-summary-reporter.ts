import type { Reporter, SerializedError, TestCase, TestModule, TestRunEndReason, TestSuite } from 'vitest/node'

/**
 * Ends the run with one plain line, `N passed, N failed` (and `, N skipped` when there are any), for people and scripts
 * that read only the end of a log. What fails outside a test (a file that does not load, a hook, an unhandled error)
 * counts as one failure each, so a run that exits with a fault never prints `0 failed`.
 */
export default class PlainSummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[], reason: TestRunEndReason): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()])
    const inState = (state: string): number => tests.filter((test: TestCase) => test.result().state === state).length
    const failed = inState('failed') + failuresOutsideTests(modules) + errors.length
    const skipped = inState('skipped')
    const line = [
      `${inState('passed')} passed`,
      `${failed === 0 && reason !== 'passed' ? 1 : failed} failed`,
      ...(skipped === 0 ? [] : [`${skipped} skipped`]),
    ].join(', ')
    // Other reporters print their own summary at the same event, some of it later: only the exit comes after all of them.
    process.once('exit', () => process.stdout.write(`${line}\n`))
  }
}

function failuresOutsideTests(modules: readonly TestModule[]): number {
  return modules
    .flatMap((module): (TestModule | TestSuite)[] => [module, ...module.children.allSuites()])
    .filter((group) => group.errors().length > 0).length
}
