/**
 * Load generator for machines without wrk: keep-alive connections on bare sockets, one request under way on each. Knows
 * only answers with a Content-Length. Arguments: url, connections, seconds. Prints one JSON object.
 */
import { connect } from 'node:net'
import { machineMs } from '../support/machine-clock.ts'
import { percentile } from './statistics.ts'
import type { LoadResult } from './load.ts'

const [url = '', connections = '1', seconds = '1'] = process.argv.slice(2)
const { hostname, port, pathname } = new URL(url)
const request = `GET ${pathname} HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`
const untilMs = machineMs() + Number(seconds) * 1000
const latenciesUs: number[] = []
let failures = 0
let open = Number(connections)

function wholeLength(bytes: Buffer): number | undefined {
  const end = bytes.indexOf('\r\n\r\n')
  if (end === -1) return undefined
  const length = /content-length: (\d+)/i.exec(bytes.toString('latin1', 0, end))?.[1]
  return length === undefined ? undefined : end + 4 + Number(length)
}

function finish(): void {
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
  const socket = connect(Number(port), hostname)
  let bytes: Buffer = Buffer.alloc(0)
  let sentMs = 0
  const send = (): void => {
    sentMs = machineMs()
    socket.write(request)
  }
  socket.setNoDelay(true)
  socket.on('connect', send)
  socket.on('error', () => (failures += 1))
  socket.on('close', finish)
  socket.on('data', (piece: Buffer) => {
    bytes = bytes.length === 0 ? piece : Buffer.concat([bytes, piece])
    const length = wholeLength(bytes)
    if (length === undefined || bytes.length < length) return
    if (bytes.toString('latin1', 9, 12) !== '200') failures += 1
    latenciesUs.push((machineMs() - sentMs) * 1000)
    bytes = bytes.subarray(length)
    if (machineMs() < untilMs) send()
    else socket.destroy()
  })
}

for (let i = 0; i < Number(connections); i += 1) run()
