/**
 * Many sidecars in one process, as far as gateways or a Redis can tell: each has connections of its own, begins at a moment of its own and
 * then speaks every `everyMs`. Obeys the messages of reporters-process.ts.
 */
import { connect, type Socket } from 'node:net'
import { reportsPath, signReport } from '#core'
import { machineMs } from '../../support/machine-clock.ts'
import { AnswerReader } from '../answer-reader.ts'
import { percentile } from '../statistics.ts'
import { instanceKey } from './instance-key.ts'
import type { ReportersCount, ReportersPlan } from './reporters-process.ts'
import { someReport } from './some-report.ts'

const plan = JSON.parse(process.argv[2] ?? '{}') as ReportersPlan // reporters-process.ts
const { instances, perFunction, everyMs, targets, tells } = plan
let latenciesMs: number[] = []
let sent = 0
let refused = 0
let lost = 0

/** One connection of one sidecar. */
class Line {
  readonly #url: URL
  #socket: Socket | undefined
  #sentAtMs = 0

  constructor(url: URL) {
    this.#url = url
  }

  say(bytes: string): void {
    this.#socket ??= this.#connect()
    this.#sentAtMs = machineMs()
    this.#socket.write(bytes)
    sent += 1
  }

  #connect(): Socket {
    const socket = connect({ host: this.#url.hostname, port: Number(this.#url.port), noDelay: true })
    const reader = new AnswerReader((status) => this.#answered(status === 200))
    const isRedis = this.#url.protocol === 'redis:'
    socket.on('data', (piece: Buffer) => {
      if (isRedis) this.#answered(piece[0] === 0x2b) // plus sign: a simple string, "OK"
      else if (!reader.push(piece)) socket.destroy()
    })
    socket.on('error', () => socket.destroy())
    socket.once('close', () => {
      // A call that is under way is lost with its connection.
      if (this.#sentAtMs !== 0) lost += 1
      this.#sentAtMs = 0
      this.#socket = undefined
    })
    return socket
  }

  #answered(isTaken: boolean): void {
    latenciesMs.push(machineMs() - this.#sentAtMs)
    this.#sentAtMs = 0
    if (!isTaken) refused += 1
  }
}

/** One sidecar. */
class Reporter {
  readonly #index: number
  readonly #lines: readonly Line[]
  readonly #revision = Math.floor(Date.now() * 1000)

  constructor(index: number) {
    this.#index = index
    const told = tells === 'all' ? targets : [targets[index % targets.length] ?? '']
    this.#lines = told.map((target) => new Line(new URL(target)))
  }

  start(): void {
    setTimeout(() => {
      this.#speak()
      setInterval(() => this.#speak(), everyMs)
    }, Math.random() * everyMs)
  }

  #speak(): void {
    const facts = { phase: 'ready', revision: this.#revision, sentAtMs: Date.now() } as const
    const report = someReport(this.#index, perFunction, facts)
    const text = signReport(report, instanceKey)
    for (const line of this.#lines) line.say(tells === 'redis' ? lease(report.record.id, text) : post(text))
  }
}

function post(text: string): string {
  const head = `POST ${reportsPath} HTTP/1.1\r\nHost: bench\r\nContent-Type: text/plain\r\nContent-Length: ${text.length}`
  return `${head}\r\n\r\n${text}`
}

/** What a sidecar would send that kept its lease itself. */
function lease(id: string, text: string): string {
  const words = ['SET', `bench:instance:${id}`, text, 'PX', String(everyMs * 3)]
  return [`*${words.length}`, ...words.flatMap((word) => [`$${word.length}`, word]), ''].join('\r\n')
}

process.on('message', () => {
  const count: ReportersCount = {
    sent,
    refused,
    lost,
    p50Ms: percentile(latenciesMs, 0.5),
    p99Ms: percentile(latenciesMs, 0.99),
  }
  ;[latenciesMs, sent, refused, lost] = [[], 0, 0, 0]
  process.send?.(count)
})
process.on('disconnect', () => process.exit())
for (let i = 0; i < instances; i += 1) new Reporter(i).start()
process.send?.('started')
