/**
 * Takes reports of many instances into the directory of a gateway, in a process of its own (`--expose-gc`): what one keeps in memory, and
 * how long reports take. Takes a `DirectoryCase` as JSON, prints a `DirectoryCost`.
 */
import { type InstancePhase, readReport, signReport } from '#core'
import { LocalInstances } from '../../../core/instances/local-instances.ts'
import { SystemClock } from '../../../core/time/system-clock.ts'
import { FakeLogger } from '../../support/fake-logger.ts'
import { median } from '../statistics.ts'
import type { DirectoryCase, DirectoryCost, ReportKind } from './directory-case.ts'
import { instanceKey } from './instance-key.ts'
import { someReport } from './some-report.ts'

const { instances, perFunction, rounds } = JSON.parse(process.argv[2] ?? '{}') as DirectoryCase // run-directory.ts
const prolongation = { ttlMs: 60_000, basis: 'report' } as const
const nowMs = Date.now()
const warmUpReports = 40_000
let revision = Math.floor(nowMs * 1000)
let sentAtMs = nowMs - 50_000

/** Signed reports of all instances: each one is later than those before. */
function texts(kind: ReportKind, phase: InstancePhase): readonly string[] {
  if (kind !== 'heartbeat') revision += 1
  sentAtMs += 1
  return Array.from({ length: instances }, (_, i) =>
    signReport(someReport(i, perFunction, { phase, revision, sentAtMs }), instanceKey),
  )
}

function newDirectory(): LocalInstances {
  return new LocalInstances({ clock: new SystemClock(), log: new FakeLogger() })
}

/** Verifies and takes all of them, and looks up the function of each as the next call would. @returns microseconds for one */
function take(directory: LocalInstances, reports: readonly string[]): number {
  const from = process.hrtime.bigint()
  for (const text of reports) {
    const report = readReport(text, instanceKey, nowMs)
    directory.take(report, prolongation)
    directory.ready(`${report.record.name}.openfaas-fn`)
  }
  return Number(process.hrtime.bigint() - from) / 1000 / reports.length
}

function verify(reports: readonly string[]): number {
  const from = process.hrtime.bigint()
  for (const text of reports) readReport(text, instanceKey, nowMs)
  return Number(process.hrtime.bigint() - from) / 1000 / reports.length
}

function heapBytes(): number {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}

/** What has run often is compiled. */
function warmUp(): void {
  const directory = newDirectory()
  for (let reports = 0; reports < warmUpReports; reports += 2 * instances) {
    take(directory, texts('first', 'ready'))
    take(directory, texts('heartbeat', 'ready'))
  }
  directory.close()
}

warmUp()
const firstTexts = texts('first', 'ready')
const before = heapBytes()
const kept = newDirectory()
const first = take(kept, firstTexts)
const bytesPerInstance = (heapBytes() - before) / instances
const heartbeats: number[] = []
const changes: number[] = []
const verifying: number[] = []
for (let round = 0; round < rounds; round += 1) {
  const beats = texts('heartbeat', 'ready')
  verifying.push(verify(beats))
  heartbeats.push(take(kept, beats))
  changes.push(take(kept, texts('change', round % 2 === 0 ? 'unready' : 'ready')))
}
const cost: DirectoryCost = {
  bytesPerInstance,
  verifyUs: median(verifying),
  us: { first, heartbeat: median(heartbeats), change: median(changes) },
}
kept.close()
process.stdout.write(`${JSON.stringify(cost)}\n`)
