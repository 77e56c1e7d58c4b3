import { execFile } from 'node:child_process'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, describe, expect, it } from 'vitest'
import type { OpenLoad, OpenLoadResult } from '../../bench/open-loop/plan.ts'

const generator = fileURLToPath(new URL('../../bench/open-loop/generator.ts', import.meta.url))
const stallMs = 300
let server: Server | undefined

afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

/** A server that stands still once, at its call number `stallAt`; 0 for never. */
function listen(stallAt: number, status = 200): Promise<string> {
  let calls = 0
  let stalledUntilMs = 0
  const created = createServer((_request, response) => {
    calls += 1
    if (calls === stallAt) stalledUntilMs = performance.now() + stallMs
    const restMs = Math.max(0, stalledUntilMs - performance.now())
    setTimeout(() => response.writeHead(status, { 'Content-Length': 2 }).end('ok'), restMs)
  })
  server = created
  return new Promise((resolve) => {
    created.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(created.address() as AddressInfo).port}`))
  })
}

async function generate(load: Partial<OpenLoad>): Promise<OpenLoadResult> {
  const whole = { connections: 4, perSecond: 400, seconds: 1, warmUpSeconds: 0, paths: ['/function/a'], ...load }
  const { stdout } = await promisify(execFile)(process.execPath, [generator, JSON.stringify(whole)])
  return JSON.parse(stdout) as OpenLoadResult // what the generator prints
}

describe('the open-loop generator', () => {
  it('makes every call of the plan', async () => {
    const result = await generate({ url: await listen(0), warmUpSeconds: 0.25 })

    expect(result).toMatchObject({ requests: 300, failures: 0 })
  })

  it('counts a stall for every call that was due in it, though few were under way', async () => {
    const result = await generate({ url: await listen(200) })

    // 120 of 400 calls are due while the server stands still, and 4 connections can tell.
    expect(result.maxUs).toBeGreaterThan(stallMs * 900)
    expect(result.p99Us).toBeGreaterThan(stallMs * 800)
  })

  it('counts other answers than 200 as failures', async () => {
    expect((await generate({ url: await listen(0, 500), seconds: 0.25 })).failures).toBe(100)
  })
})
