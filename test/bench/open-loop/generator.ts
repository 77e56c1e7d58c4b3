/**
 * Load at a fixed rate, as callers make it who do not know of each other: calls are due at instants that are fixed
 * beforehand, and the latency of a call counts from the instant at which it was due. A gateway that stands still for a while
 * so shows in all calls that were due meanwhile ("coordinated omission" would hide them). One call at a time on a connection;
 * when all are busy, calls wait in line. Takes an `OpenLoad` as JSON, prints an `OpenLoadResult`.
 */
import { connect, type Socket } from 'node:net'
import { AnswerReader } from '../answer-reader.ts'
import { percentile } from '../statistics.ts'
import type { OpenLoad, OpenLoadResult } from './plan.ts'

/** Longest sleep while answers are awaited, and the shortest that the kernel's timers are worth. */
const longestSleepUs = 50
const shortestSleepUs = 20
/** How long answers are waited for after the last call was due. */
const patienceUs = 5_000_000

const load = JSON.parse(process.argv[2] ?? '{}') as OpenLoad
const { hostname, port } = new URL(load.url)
const requests = load.paths.map((path) => Buffer.from(`GET ${path} HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`))
const total = Math.floor(load.perSecond * load.seconds)
const firstCounted = Math.floor(load.perSecond * load.warmUpSeconds)
const betweenUs = 1_000_000 / load.perSecond
const latenciesUs = new Float64Array(total).fill(Number.NaN)
const lateUs = new Float64Array(total).fill(Number.NaN)
const pause = new Int32Array(new SharedArrayBuffer(4))
const readBuffer = Buffer.allocUnsafe(64 * 1024)

let startUs = 0
/** Calls that were due so far, and those of them that were sent. */
let due = 0
let sent = 0
let answered = 0
let failures = 0

class Connection {
  readonly #socket: Socket
  #call = -1

  constructor(onOpen: () => void) {
    const reader = new AnswerReader((status) => this.#answered(status))
    const callback = (count: number): boolean => {
      if (!reader.push(readBuffer.subarray(0, count))) this.#socket.destroy()
      return true
    }
    this.#socket = connect({
      host: hostname,
      port: Number(port),
      noDelay: true,
      onread: { buffer: readBuffer, callback },
    })
    this.#socket.on('error', () => this.#socket.destroy())
    this.#socket.once('connect', onOpen)
    this.#socket.once('close', () => this.#lost())
  }

  call(index: number): void {
    this.#call = index
    this.#socket.write(requests[index % requests.length] ?? '')
  }

  hangUp(): void {
    this.#socket.removeAllListeners('close').destroy()
  }

  #answered(status: number): void {
    latenciesUs[this.#call] = nowUs() - dueUs(this.#call)
    if (status !== 200) failures += 1
    answered += 1
    this.#call = -1
    idle.push(this)
  }

  /** The call is lost, and another connection takes the place of this one. */
  #lost(): void {
    if (this.#call !== -1) {
      failures += 1
      answered += 1
    }
    const at = idle.indexOf(this)
    if (at !== -1) idle.splice(at, 1)
    open()
  }
}

const idle: Connection[] = []
const connections = new Set<Connection>()

function open(): void {
  const one = new Connection(() => idle.push(one))
  connections.add(one)
}

function nowUs(): number {
  return performance.now() * 1000
}

function dueUs(index: number): number {
  return startUs + index * betweenUs
}

/** One turn of the event loop: sends what is due, then sleeps a little, or less if a call becomes due. */
function turn(): void {
  const now = nowUs()
  for (; due < total && dueUs(due) <= now; due += 1) lateUs[due] = now - dueUs(due)
  for (let one = sent < due ? idle.pop() : undefined; one !== undefined; one = sent < due ? idle.pop() : undefined) {
    one.call(sent)
    sent += 1
  }
  if (answered === total || now > dueUs(total) + patienceUs) {
    finish()
    return
  }
  const sleepUs = due < total ? Math.min(dueUs(due) - nowUs(), longestSleepUs) : longestSleepUs
  // Timers of the event loop are whole milliseconds: too coarse for thousands of calls a second.
  if (sleepUs > shortestSleepUs) Atomics.wait(pause, 0, 0, sleepUs / 1000)
  setImmediate(turn)
}

function finish(): void {
  for (const one of connections) one.hangUp()
  const counted = latenciesUs.subarray(firstCounted).filter((one) => !Number.isNaN(one))
  const late = lateUs.subarray(firstCounted)
  const result: OpenLoadResult = {
    requests: total - firstCounted,
    failures: failures + (total - answered),
    p50Us: percentile(counted, 0.5),
    p95Us: percentile(counted, 0.95),
    p99Us: percentile(counted, 0.99),
    p999Us: percentile(counted, 0.999),
    maxUs: percentile(counted, 1),
    lateP50Us: percentile(late, 0.5),
    lateP99Us: percentile(late, 0.99),
  }
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit())
}

for (let i = 0; i < load.connections; i += 1) open()
const waitForAll = (): void => {
  if (idle.length < load.connections) {
    setTimeout(waitForAll, 1)
    return
  }
  startUs = nowUs()
  turn()
}
waitForAll()
