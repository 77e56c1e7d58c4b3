import { describe, expect, it } from 'vitest'
import { requestBytes } from '../../support/raw-http.ts'
import { useFunctionPath } from './function-path.ts'

describe('client that takes longer than read_timeout', () => {
  const path = useFunctionPath('h1', { env: { read_timeout: '600ms' } })

  it('with its head is answered 408 and closed', async () => {
    await using client = await path().open()
    await client.send('GET /function/echo HTTP/1.1\r\nHost: x\r\nX-Slow: ')

    expect(await client.closed()).not.toBe('open')
    expect((await client.response()).status).toBe(408)
  })

  it('dripping its head is closed all the same', async () => {
    await using client = await path().open()
    const drip = setInterval(() => void client.send('x'), 50)
    await client.send('GET /function/echo HTTP/1.1\r\nHost: x\r\nX-Slow: ')

    const closing = await client.closed()
    clearInterval(drip)

    expect(closing).not.toBe('open')
  })

  it('with a body of a kept length is closed, and the function sees no call', async () => {
    const before = path().provider.count('invoke')
    await using client = await path().open()
    await client.send(`${requestBytes('POST', '/function/echo', ['Content-Length: 100'])}part`)

    expect(await client.closed()).not.toBe('open')
    expect(path().provider.count('invoke')).toBe(before)
  })

  it('with a streamed body is closed, and the function sees no whole request', async () => {
    const ends: string[] = []
    path().serve((request) => {
      request.resume()
      request.once('end', () => ends.push('whole'))
    })
    await using client = await path().open()
    await client.send(`${requestBytes('POST', '/function/echo', ['Transfer-Encoding: chunked'])}4\r\npart\r\n`)

    expect(await client.closed()).not.toBe('open')
    expect(ends).toEqual([])
  })

  it('without a word is closed', async () => {
    await using client = await path().open()

    expect(await client.closed()).not.toBe('open')
  })
})
