import { randomBytes } from 'node:crypto'
import { request } from 'node:http'
import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { call, startCall } from '../../support/callers.ts'
import { eventually } from '../../support/eventually.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { RawConnection, requestBytes } from '../../support/raw-http.ts'
import { runNode } from '../../support/run-process.ts'
import { serve, SidecarProcess } from './sidecar-process.ts'

guardAgainstLeaks()

const isRunning = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** A server whose answers say which process it is, in one line of shell for node. */
const server = [
  process.execPath,
  '-e',
  `require('http').createServer((q, r) => q.url === '/hold' ? r.write('x') : r.end(String(process.pid))).listen(process.env.PORT, '127.0.0.1')`,
]

describe('the program pilotlight sidecar', () => {
  it('explains itself, and starts nothing for it', async () => {
    const [help, version, check] = await Promise.all(
      [['--help'], ['--version'], ['--check-config', '--', 'cat']].map((args) =>
        runNode(['bin/pilotlight.js', 'sidecar', ...args]),
      ),
    )

    expect([help?.code, version?.code, check?.code]).toEqual([0, 0, 0])
    expect(help?.stdout).toContain('PILOTLIGHT_GATEWAYS')
    expect(help?.stdout).toContain('fprocess')
    expect(version?.stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
    expect(check?.stdout).toBe('configuration ok\n')
  })

  it('names every fault of its settings, and exits with 2', async () => {
    const env = {
      port: '99999',
      mode: 'afterburn',
      exec_timeout: 'soon',
      max_inflight: '-1',
      PILOTLIGHT_GATEWAYS: 'ftp://example.com',
      PILOTLIGHT_STREAM_POLICY: 'maybe',
      PILOTLIGHT_MISSPELT: 'x',
    }
    const { code, stderr, stdout } = await runNode(['bin/pilotlight.js', 'sidecar'], { env })

    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(/^pilotlight sidecar cannot start, 8 faults:\n/)
    for (const name of [...Object.keys(env), 'fprocess']) expect(stderr).toContain(`  ${name}: `)
  })

  it('says what it does not use as it was set, and runs all the same', async () => {
    const env = { fprocess: 'cat', log_buffer_size: '1', OTEL_SDK_DISABLED: 'yes' }
    await using sidecar = new SidecarProcess({ env })

    const { url } = await sidecar.listening()
    const { body } = await call(url, { method: 'POST', body: 'x' })

    expect(body).toBe('x')
    expect(sidecar.stderr).toContain('pilotlight sidecar: log_buffer_size: is 1; 80 is used\n')
    expect(sidecar.stderr).toContain('pilotlight sidecar: OTEL_SDK_DISABLED: expected "true" or "false", got "yes"')
  })

  it.each(['--nothing', 'start'])('exits with 2 for the argument %s', async (argument) => {
    const { code, stderr } = await runNode(['bin/pilotlight.js', 'sidecar', argument])

    expect(code).toBe(2)
    expect(stderr).toContain(`unknown argument "${argument}"; see pilotlight sidecar --help`)
  })

  it('exits with 1 when a port is taken, and says which; no function is started', async () => {
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const address = taken.address()
    const port = String(typeof address === 'object' ? address?.port : '')

    await using onTraffic = new SidecarProcess({ env: { port }, args: ['--', ...server] })
    await using onAdmin = new SidecarProcess({ env: { PILOTLIGHT_ADMIN_PORT: port }, args: ['--', ...server] })
    const codes = [await onTraffic.ended, await onAdmin.ended]
    await new Promise((resolve) => taken.close(resolve))

    expect(codes).toEqual([1, 1])
    for (const { stderr } of [onTraffic, onAdmin]) {
      expect(stderr).toContain('cannot start')
      expect(stderr).toContain(port)
      expect(stderr).not.toContain('Forking')
    }
  })

  it('runs a server, and on SIGTERM finishes its calls, stops it, and exits with 0', async () => {
    await using sidecar = new SidecarProcess({ env: { mode: 'http' }, args: ['--', ...server] })
    const { url } = await sidecar.listening()
    const { body } = await call(url)
    await using connection = await RawConnection.open(url)
    await connection.send(requestBytes('GET', '/hold'))
    await connection.begun()

    sidecar.signal('SIGTERM')
    await sidecar.logged('leaving')
    const whileLeaving = await call(url)
    const ranOn = isRunning(Number(body))
    connection.abort()
    const code = await sidecar.ended

    expect([whileLeaving.status, ranOn, code]).toEqual([200, true, 0])
    expect(isRunning(Number(body))).toBe(false)
    expect(sidecar.stderr).toContain('stopped\n')
  })

  it('ends at once, and the function with it, on a second signal', async () => {
    await using sidecar = new SidecarProcess({ env: { mode: 'http' }, args: ['--', ...server] })
    const { url } = await sidecar.listening()
    const { body } = await call(url)
    await using connection = await RawConnection.open(url)
    await connection.send(requestBytes('GET', '/hold'))
    await connection.begun()

    sidecar.signal('SIGTERM')
    await sidecar.logged('leaving')
    sidecar.signal('SIGINT')

    expect(await sidecar.ended).toBe(1)
    expect(sidecar.stderr).toContain('second signal: exiting at once')
    await eventually('the function to end', () => !isRunning(Number(body)))
  })

  it('keeps its key and its settings from the function', async () => {
    await using sidecar = new SidecarProcess({
      env: { PILOTLIGHT_INSTANCE_KEY: 'a secret of the fleet', MINE: 'kept', fprocess: 'env', mode: 'classic' },
    })
    const { url } = await sidecar.listening()

    const { body } = await call(url, { method: 'POST', body: '' })

    expect(body).toContain('MINE=kept')
    expect(body).not.toContain('PILOTLIGHT')
    expect(body).not.toContain('a secret of')
  })

  it('survives a reader of its log that has gone', async () => {
    await using sidecar = new SidecarProcess({ env: { fprocess: 'cat' } })
    const { url } = await sidecar.listening()
    sidecar.closeOutput()

    const outcomes = []
    for (let at = 0; at < 5; at += 1) outcomes.push(await call(url, { method: 'POST', body: 'x' }))
    sidecar.signal('SIGTERM')

    expect(outcomes.map(({ body }) => body)).toEqual(['x', 'x', 'x', 'x', 'x'])
    expect(await sidecar.ended).toBe(0)
  })

  it('has 200 MB pass in bounded memory, and cuts nothing off', async () => {
    await using echo = await serve((incoming, response) => {
      response.setHeader('content-length', incoming.headers['content-length'] ?? '')
      incoming.pipe(response)
    })
    await using sidecar = new SidecarProcess({ env: { upstream_url: echo.url } })
    const { url } = await sidecar.listening()
    await call(url)
    const beforeKb = sidecar.statusKb('VmHWM')

    const received = await echoed(url, 200)

    expect(received).toBe(200 * 1024 * 1024)
    // Buffers that were passed on are garbage, which is collected at about 64 MB.
    expect(sidecar.statusKb('VmHWM') - beforeKb).toBeLessThan(110 * 1024)
  }, 60_000)

  it('fronts a server that somebody else runs, and leaves it alone', async () => {
    await using owner = await serve((_, response) => response.end('theirs'))
    await using sidecar = new SidecarProcess({ env: { upstream_url: owner.url } })
    const { url, adminUrl } = await sidecar.listening()
    await sidecar.logged('the function takes calls')

    const answer = startCall(url)
    const { status } = await call(`${adminUrl}/readyz`)
    sidecar.signal('SIGTERM')

    expect((await answer.outcome).body).toBe('theirs')
    expect(status).toBe(200)
    expect(await sidecar.ended).toBe(0)
    expect((await call(owner.url)).body).toBe('theirs')
  })
})

/** Sends so many MiB and counts the bytes of the answer. */
function echoed(url: string, pieces: number): Promise<number> {
  const piece = randomBytes(1024 * 1024)
  return new Promise((resolve, reject) => {
    let received = 0
    const headers = { 'content-length': String(pieces * piece.byteLength) }
    const outgoing = request(url, { method: 'POST', headers, agent: false }, (response) => {
      response.on('data', (bytes: Buffer) => (received += bytes.byteLength))
      response.once('close', () => resolve(received))
    })
    outgoing.once('error', reject)
    let sent = 0
    const send = (): void => {
      while (sent < pieces) {
        sent += 1
        if (!outgoing.write(piece)) {
          outgoing.once('drain', send)
          return
        }
      }
      outgoing.end()
    }
    send()
  })
}
