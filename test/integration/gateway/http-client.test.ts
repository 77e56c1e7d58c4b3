import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { HttpClientRequest, HttpClientResponse } from '#core'
import { UndiciHttpClient } from '../../../core/http/undici-http-client.ts'
import { SystemClock } from '../../../core/time/system-clock.ts'
import { eventually } from '../../support/eventually.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'

guardAgainstLeaks()

let server: Server
let client: UndiciHttpClient
let answer: (request: IncomingMessage, response: ServerResponse) => void

beforeEach(async () => {
  server = createServer((request, response) => answer(request, response))
  await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', port: 0 }, resolve))
  client = new UndiciHttpClient({ clock: new SystemClock(), connectTimeoutMs: 1000 })
})

afterEach(async () => {
  await client[Symbol.asyncDispose]()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

function get(more: Partial<HttpClientRequest> = {}): Promise<HttpClientResponse> {
  const { port } = server.address() as AddressInfo // a TCP server's address is always of this type
  return client.request({ method: 'GET', url: new URL(`http://127.0.0.1:${port}/`), timeoutMs: 5000, ...more })
}

function connections(): Promise<number> {
  return new Promise((resolve, reject) =>
    server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
  )
}

describe('UndiciHttpClient', () => {
  it('gives status, raw headers and body of an answer', async () => {
    answer = (_request, response) => response.writeHead(418, ['X-One', '1', 'x-one', '2']).end('tea')

    const response = await get()

    expect(response.status).toBe(418)
    expect(response.rawHeaders.slice(0, 4)).toEqual(['X-One', '1', 'x-one', '2'])
    expect(response.header('x-one')).toBe('1')
    expect(await response.text()).toBe('tea')
  })

  it('sends method, headers and body', async () => {
    const seen = Promise.withResolvers<string>()
    answer = (request, response) => {
      request
        .setEncoding('utf8')
        .on('data', (body) => seen.resolve(`${request.method} ${String(request.headers['x-a'])} ${body}`))
      response.end()
    }

    const response = await get({ method: 'POST', headers: { 'x-a': 'b' }, body: 'posted' })
    response.discard()

    expect(await seen.promise).toBe('POST b posted')
  })

  it('follows no redirect', async () => {
    answer = (_request, response) => response.writeHead(302, { Location: '/elsewhere' }).end()

    const response = await get()
    response.discard()

    expect(response.status).toBe(302)
  })

  it('gives up when no head comes in time', async () => {
    answer = () => {}

    await expect(get({ timeoutMs: 50 })).rejects.toThrow('no complete answer within 50 ms')
  })

  it('gives up when the text is not whole in time', async () => {
    answer = (_request, response) => response.writeHead(200).write('half')

    const response = await get({ timeoutMs: 100 })

    await expect(response.text()).rejects.toThrow('no complete answer within 100 ms')
  })

  it('gives a reader of the body its own time', async () => {
    answer = (_request, response) => {
      response.writeHead(200).write('slow ')
      setTimeout(() => response.end('stream'), 150)
    }
    const pieces: string[] = []

    const response = await get({ timeoutMs: 50 })
    for await (const piece of response.body) pieces.push(Buffer.from(piece).toString())

    expect(pieces.join('')).toBe('slow stream')
  })

  it('refuses a text that is too long, and frees the connection', async () => {
    answer = (_request, response) => response.end('12345')

    const response = await get()

    await expect(response.text(4)).rejects.toThrow('longer than 4 bytes')
  })

  it.each(['before the call', 'before the head', 'inside the body'])(
    'stops when its caller gives up %s',
    async (when) => {
      const caller = new AbortController()
      answer = (_request, response) => {
        if (when === 'inside the body') response.writeHead(200).write('half')
        else caller.abort(new Error('no longer wanted'))
      }
      if (when === 'before the call') caller.abort(new Error('no longer wanted'))

      const read = async (): Promise<string> => {
        const response = await get({ signal: caller.signal })
        caller.abort(new Error('no longer wanted'))
        return response.text()
      }

      await expect(read()).rejects.toThrow('no longer wanted')
    },
  )

  it('frees the connection of an answer that is discarded', async () => {
    answer = (_request, response) => response.writeHead(200).write('endless')
    const response = await get()

    response.discard()

    await eventually('the connection to close', async () => (await connections()) === 0)
  })

  it('survives an answer that breaks off before anybody reads it', async () => {
    answer = (_request, response) => {
      response.writeHead(200, { 'Content-Length': '100' }).write('half')
      setTimeout(() => response.destroy(), 20)
    }

    const response = await get()
    await eventually('the connection to close', async () => (await connections()) === 0)
    await new Promise((resolve) => setTimeout(resolve, 20)) // an uncaught error would fail the run

    await expect(response.text()).rejects.toThrow()
  })
})
