/**
 * Load generator for machines without wrk: connections on bare sockets, one request under way on each. Knows only answers
 * with a Content-Length. Arguments: url, connections, seconds, bytes of a request body (0: GET), `close` to open a connection
 * for each request. Prints one JSON object.
 */
import { connect } from 'node:net'
import { machineMs } from '../support/machine-clock.ts'
import { AnswerReader } from './answer-reader.ts'
import { percentile } from './statistics.ts'
import type { LoadResult } from './load.ts'

const [url = '', connections = '1', seconds = '1', bodyBytes = '0', mode = 'keep'] = process.argv.slice(2)
const { hostname, port, pathname, search } = new URL(url)
const closes = mode === 'close'
const lines = [
  `${bodyBytes === '0' ? 'GET' : 'POST'} ${pathname}${search} HTTP/1.1`,
  `Host: ${hostname}`,
  ...(bodyBytes === '0' ? [] : [`Content-Length: ${bodyBytes}`]),
  ...(closes ? ['Connection: close'] : []),
]
const request = Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), Buffer.alloc(Number(bodyBytes), 'x')])
const untilMs = machineMs() + Number(seconds) * 1000
const latenciesUs: number[] = []
let failures = 0
let open = Number(connections)

function finish(): void {
  if (closes && machineMs() < untilMs) {
    run()
    return
  }
  open -= 1
  if (open > 0) return
  const result: LoadResult = {
    requests: latenciesUs.length,
    failures,
    medianUs: percentile(latenciesUs, 0.5),
    p99Us: percentile(latenciesUs, 0.99),
  }
  process.stdout.write(`${JSON.stringify(result)}\n`)
}

function run(): void {
  // The time to connect belongs to a request that has a connection of its own.
  let sentMs = machineMs()
  const socket = connect({ port: Number(port), host: hostname, noDelay: true })
  const send = (): void => {
    sentMs = closes ? sentMs : machineMs()
    socket.write(request)
  }
  const reader = new AnswerReader((status) => {
    if (status !== 200) failures += 1
    latenciesUs.push((machineMs() - sentMs) * 1000)
    if (!closes && machineMs() < untilMs) send()
    else socket.destroy()
  })
  socket.on('connect', send)
  socket.on('error', () => (failures += 1))
  socket.on('close', finish)
  socket.on('data', (piece: Buffer) => {
    if (!reader.push(piece)) socket.destroy(new Error('not an answer with a Content-Length'))
  })
}

for (let i = 0; i < Number(connections); i += 1) run()
