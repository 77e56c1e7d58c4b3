// A function as a process of its own, that writes a line for each call that begins: its id, and how many are under way with it.
// A call of `/die` kills it.
import { openSync, writeSync } from 'node:fs'
import { createServer } from 'node:http'

const { record, work_ms: workMs = '0', PORT: port } = process.env
const file = openSync(record, 'a')
let underWay = 0
writeSync(file, `process ${process.pid}\n`)

const server = createServer((request, response) => {
  underWay += 1
  const id = String(request.headers['x-call-id'])
  writeSync(file, `call ${id} ${underWay}\n`)
  if (request.url === '/die') process.kill(process.pid, 'SIGKILL')
  const pieces = [`${id} `]
  request.on('data', (piece) => pieces.push(piece))
  request.once('end', () => setTimeout(() => response.end(pieces.join('')), Number(workMs)))
  response.once('close', () => (underWay -= 1))
})
server.listen(Number(port), '127.0.0.1')
process.once('SIGTERM', () => {
  writeSync(file, 'stopped\n')
  process.exit(0)
})
