import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config'

/** Kinds that start servers or processes; each of their files gets a process of its own. */
const processKinds = new Set(['contract', 'integration', 'e2e', 'chaos', 'soak'])
/** Time limits of tests that are not the usual ones: a model explores many runs, chaos waits out faults, a soak takes a minute. */
const timeoutsMs = new Map([
  ['unit', 5_000],
  ['model', 60_000],
  ['chaos', 120_000],
  ['soak', 120_000],
])

/** One project per kind of test, named like its folder, so that `vitest run --project unit` means what it says. */
function project(kind: string): TestProjectInlineConfiguration {
  const startsProcesses = processKinds.has(kind)
  const timeoutMs = timeoutsMs.get(kind) ?? 30_000
  return {
    extends: true,
    test: {
      name: kind,
      include: [`test/${kind}/**/*.test.ts`],
      pool: startsProcesses ? 'forks' : 'threads',
      testTimeout: timeoutMs,
      hookTimeout: timeoutMs,
    },
  }
}

export default defineConfig({
  test: {
    projects: ['unit', 'architecture', 'model', 'contract', 'integration', 'e2e', 'chaos', 'soak'].map(project),
    maxWorkers: 2,
    passWithNoTests: false,
    reporters: ['default', './test/support/plain-summary-reporter.ts'],
    // A test that leaves a handle open must not keep the whole run alive for vitest's default of 10 s.
    teardownTimeout: 5_000,
  },
})
