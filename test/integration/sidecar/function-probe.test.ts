import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { SystemClock } from '#core/lean'
import { probe, type ProbeFinding } from '../../../sidecar/readiness/probe.ts'
import { eventually } from '../../support/eventually.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'

guardAgainstLeaks()

let server: Server | undefined
const sockets = new Set<Socket>()
afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  await new Promise((resolve) => (server === undefined ? resolve(0) : server.close(resolve)))
  server = undefined
})

/** Starts a server that does with a question what the test says. @returns its port */
async function answering(answer: (socket: Socket) => void): Promise<number> {
  server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    socket.once('data', () => answer(socket))
  })
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port // of a TCP server
}

function ask(port: number, { path = '/ready', timeoutMs = 5_000, signal = new AbortController().signal } = {}) {
  return probe({ host: '127.0.0.1', port, path }, { clock: new SystemClock(), timeoutMs }, signal)
}

function failing(problem: string): ProbeFinding {
  return { kind: 'failing', problem }
}

/** Sends an endless head, bit by bit. */
function drip(socket: Socket): void {
  socket.write('HTTP/1.1 103 Hints\r\n')
  const timer = setInterval(() => socket.write('a: b\r\n'), 10)
  socket.once('close', () => clearInterval(timer))
}

/** Answers well, and never stops. */
function flood(socket: Socket): void {
  socket.write('HTTP/1.1 200 OK\r\n\r\n')
  const write = (): void => {
    while (socket.writable && socket.write('x'.repeat(65_536)));
  }
  socket.on('drain', write)
  write()
}

describe('probe', () => {
  it.each([
    ['is cut', (socket: Socket): void => void socket.resetAndDestroy(), '/ready is not answered: read ECONNRESET'],
    ['is closed', (socket: Socket): void => void socket.end(), '/ready is not answered: the connection was closed'],
    [
      'is half an answer',
      (socket: Socket): void => void socket.end('HTTP/1.1 20'),
      '/ready is not answered: the connection was closed',
    ],
    [
      'is not HTTP',
      (socket: Socket): void => void socket.write('hello\r\n'),
      '/ready is answered with something that is not HTTP/1',
    ],
    ['is a failure', (socket: Socket): void => void socket.write('HTTP/1.1 500 no\r\n'), '/ready is answered 500'],
    ['leads elsewhere', (socket: Socket): void => void socket.write('HTTP/1.1 302 no\r\n'), '/ready is answered 302'],
  ])('finds a path failing that %s', async (_what, answer, problem) => {
    const port = await answering(answer)

    expect(await ask(port, { timeoutMs: 100 })).toEqual(failing(problem))
  })

  it.each([
    ['hangs', (): void => {}],
    ['never ends its head', drip],
  ])('finds a path late, which may be busy, that %s', async (_what, answer) => {
    const port = await answering(answer)

    expect(await ask(port, { timeoutMs: 100 })).toEqual({
      kind: 'late',
      problem: '/ready is not answered within 100 ms',
    })
  })

  it('finds a path well that never ends its answer, and stops reading', async () => {
    const port = await answering(flood)

    const finding = await ask(port)

    expect(finding).toEqual({ kind: 'well' })
    await eventually('the connection to close', () => sockets.size === 0)
  })

  it('lets a small answer be read, and does not wait for it', async () => {
    let answered: Socket | undefined
    const port = await answering((socket) => {
      answered = socket
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n')
    })
    const finding = await ask(port)
    const cut = new Promise((resolve) => answered?.once('error', resolve).once('close', () => resolve('closed well')))

    answered?.end('\r\nok')

    expect(finding).toEqual({ kind: 'well' })
    expect(await cut).toBe('closed well')
  })

  it('finds out that nobody listens', async () => {
    const port = await answering(() => {})
    await new Promise((resolve) => server?.close(resolve))
    server = undefined

    expect(await ask(port, { path: '' })).toEqual({ kind: 'refused', problem: `nobody listens on port ${port}` })
    expect(await ask(port)).toMatchObject({ kind: 'refused' })
  })

  it('is satisfied with a connection where there is no path', async () => {
    const port = await answering(() => {})

    expect(await ask(port, { path: '' })).toEqual({ kind: 'well' })
  })

  it('ends when it is given up', async () => {
    const port = await answering(() => controller.abort())
    const controller = new AbortController()

    expect(await ask(port, { signal: controller.signal })).toEqual(failing('the question was given up'))
    expect(await ask(port, { signal: controller.signal })).toEqual(failing('the question was given up'))
  })
})
