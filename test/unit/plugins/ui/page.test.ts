import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { readdir, readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { headerValue, type Reply } from '#core'
import { GatewayRequest } from '../../../../core/http/gateway-request.ts'
import { plugin } from '../../../../plugins/ui/index.ts'
import { FakeLogger } from '../../../support/fake-logger.ts'

const assets = new URL('../../../../plugins/ui/assets/', import.meta.url)
const { routes } = await plugin.setup({ options: plugin.options.parse({}), deps: {}, log: new FakeLogger() })

/** @param path decoded, as the router gives it */
async function get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Reply> {
  const message = new IncomingMessage(new Socket())
  message.method = 'GET'
  Object.assign(message.headers, headers)
  const response = new ServerResponse(message)
  const request = new GatewayRequest({ message, response, replayBodyBytes: 0, expectsContinue: false })
  const route = routes?.[0]
  if (route === undefined) throw new Error('the page has no route')
  return route.handle({ request, method: 'GET', path, params: {}, search: '', query: new URLSearchParams() })
}

async function bodyOf(reply: Reply): Promise<string> {
  return Buffer.from(await reply.bytes(1e6)).toString()
}

describe('ui', () => {
  it('serves its page under /ui/ to GET and HEAD', async () => {
    const page = await get('/ui/')

    expect(routes?.map(({ path, methods }) => [path, methods])).toEqual([['/ui/*', ['GET', 'HEAD']]])
    expect(page.status).toBe(200)
    expect(headerValue(page.headers, 'content-type')).toBe('text/html; charset=utf-8')
    expect(await bodyOf(page)).toContain('<title>Pilotlight</title>')
  })

  it.each([
    ['/ui/index.html', 'text/html; charset=utf-8'],
    ['/ui/app.js', 'text/javascript; charset=utf-8'],
    ['/ui/style.css', 'text/css; charset=utf-8'],
    ['/ui/icon.svg', 'image/svg+xml'],
  ])('serves %s as %s, with the headers of OpenFaaS', async (path, type) => {
    const { status, headers } = await get(path)

    expect(status).toBe(200)
    expect(headerValue(headers, 'content-type')).toBe(type)
    expect(headerValue(headers, 'access-control-allow-headers')).toBe('Content-Type')
    expect(headerValue(headers, 'access-control-allow-methods')).toBe('GET')
    expect(headerValue(headers, 'access-control-allow-origin')).toBe('raw.githubusercontent.com')
    expect(headerValue(headers, 'accept-ranges')).toBe('bytes')
    expect(headerValue(headers, 'last-modified')).toMatch(/^\w{3}, \d{2} \w{3} \d{4} \d{2}:\d{2}:\d{2} GMT$/)
  })

  it.each([
    '/ui/../package.json',
    '/ui/../../core/main.ts',
    '/ui//etc/passwd',
    '/ui/..\\package.json',
    '/ui/assets/../index.html',
    '/ui/index.html\0.js',
    '/ui/constructor',
    '/ui/__proto__',
    '/ui/missing.js',
  ])('answers 404 to %j', async (path) => {
    const reply = await get(path)

    expect(reply.status).toBe(404)
    expect(await bodyOf(reply)).toBe('404 page not found\n')
  })

  it('sends nothing again that the browser has, but for a newer file', async () => {
    const modified = headerValue((await get('/ui/app.js')).headers, 'last-modified') ?? ''

    expect((await get('/ui/app.js', { 'if-modified-since': modified })).status).toBe(304)
    expect((await get('/ui/app.js', { 'if-modified-since': new Date(0).toUTCString() })).status).toBe(200)
    expect((await get('/ui/app.js', { 'if-modified-since': 'yesterday' })).status).toBe(200)
  })

  it('sends the part that is asked for, unless the file changed since', async () => {
    const whole = await readFile(new URL('app.js', assets))
    const part = await get('/ui/app.js', { range: 'bytes=2-5' })
    const changed = await get('/ui/app.js', { range: 'bytes=2-5', 'if-range': new Date(0).toUTCString() })
    const beyond = await get('/ui/app.js', { range: 'bytes=9999999-' })

    expect(part.status).toBe(206)
    expect(headerValue(part.headers, 'content-range')).toBe(`bytes 2-5/${whole.byteLength}`)
    expect(await bodyOf(part)).toBe(whole.subarray(2, 6).toString())
    expect(changed.status).toBe(200)
    expect(beyond.status).toBe(416)
    expect(headerValue(beyond.headers, 'content-range')).toBe(`bytes */${whole.byteLength}`)
  })

  it('is complete: every file it names is there, and none comes from elsewhere', async () => {
    const page = await readFile(new URL('index.html', assets), 'utf8')
    const named = [...page.matchAll(/\b(?:href|src)="([^"]*)"/g)].map((match) => match[1] ?? '')

    expect(named.length).toBeGreaterThan(2)
    expect(await readdir(assets)).toEqual(expect.arrayContaining(named))
  })

  it('has every element that its script looks for', async () => {
    const [page, script] = await Promise.all(
      ['index.html', 'app.js'].map((name) => readFile(new URL(name, assets), 'utf8')),
    )
    const wanted = [...(script ?? '').matchAll(/byId\('([^']+)'\)/g)].map((match) => match[1] ?? '')

    expect(wanted.length).toBeGreaterThan(10)
    for (const id of wanted) expect(page).toContain(`id="${id}"`)
  })

  it('refuses options, as it has none', () => {
    expect(() => plugin.options.parse({ theme: 'dark' })).toThrow()
  })
})
