/**
 * Loaded into a Node process before its program (`--import`): answers questions about that process on the UNIX socket that
 * `BENCH_PROBE` names, one question and one answer for each connection. See question.ts. Costs next to nothing while nobody
 * asks: two timers' worth of event-loop monitor, and an entry for each garbage collection.
 */
import { Session } from 'node:inspector/promises'
import { createServer, type Socket } from 'node:net'
import { constants, monitorEventLoopDelay, PerformanceObserver, type PerformanceEntry } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'
import type { Figures, Question } from './question.ts'

const lagResolutionMs = 1
const delay = monitorEventLoopDelay({ resolution: lagResolutionMs })
const collections = { young: 0, old: 0, pausedMs: 0 }
const { NODE_PERFORMANCE_GC_MINOR: minor, NODE_PERFORMANCE_GC_MAJOR: major } = constants

/** What the entry of a garbage collection carries; node:perf_hooks, PerformanceNodeEntry. */
type Collection = PerformanceEntry & { readonly detail?: { readonly kind?: number } }

const observer = new PerformanceObserver((list) => {
  for (const { duration, detail } of list.getEntries() as Collection[]) {
    collections.pausedMs += duration
    if (detail?.kind === minor) collections.young += 1
    if (detail?.kind === major) collections.old += 1
  }
})
const session = new Session()

/** The monitor reports what lies between two of its ticks, in nanoseconds: what exceeds the resolution is delay. */
function delayUs(nanoseconds: number): number {
  return Math.max(0, nanoseconds / 1000 - lagResolutionMs * 1000)
}

/** The event loop's delay is since the last time that it was asked for. */
function figures(): Figures {
  const { total_allocated_bytes: allocatedBytes } = getHeapStatistics() as { total_allocated_bytes?: number } // new in V8 14
  const { heapUsed, external } = process.memoryUsage()
  const seen = {
    p50Us: delayUs(delay.percentile(50)),
    p99Us: delayUs(delay.percentile(99)),
    maxUs: delay.count === 0 ? 0 : delayUs(delay.max),
  }
  delay.reset()
  return { allocatedBytes, collections: { ...collections }, delay: seen, heapUsed, external }
}

const answers: Readonly<Record<Question, () => Promise<unknown>>> = {
  figures: async () => figures(),
  'start-cpu': async () => {
    await session.post('Profiler.enable')
    await session.post('Profiler.setSamplingInterval', { interval: 500 })
    await session.post('Profiler.start')
  },
  'stop-cpu': async () => (await session.post('Profiler.stop')).profile,
  'start-heap': () =>
    session.post('HeapProfiler.startSampling', {
      samplingInterval: 16_384,
      // What is dead already counts too: it is the allocation that is asked for.
      includeObjectsCollectedByMajorGC: true,
      includeObjectsCollectedByMinorGC: true,
    }),
  'stop-heap': async () => (await session.post('HeapProfiler.stopSampling')).profile,
}

async function answer(socket: Socket, question: string): Promise<void> {
  socket.end(JSON.stringify((await answers[question as Question]()) ?? null)) // only ask.ts asks
}

session.connect()
observer.observe({ entryTypes: ['gc'] })
delay.enable()
const server = createServer((socket) => {
  socket.unref()
  socket.on('error', () => socket.destroy())
  socket.once('data', (question: Buffer) => void answer(socket, question.toString()))
})
server.listen(process.env['BENCH_PROBE'])
server.unref()
