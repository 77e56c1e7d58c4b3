import { describe, expect, it } from 'vitest'
import {
  BufferReply,
  headerValue,
  SystemRouter,
  type Reply,
  type SystemMiddleware,
  type SystemRequest,
  type SystemRoute,
} from '#core'
import { someRequest } from '../http/some-request.ts'

let seen: SystemRequest | undefined

function route(path: string, methods: readonly string[] = ['GET']): SystemRoute {
  return {
    methods,
    path,
    handle: async (request) => {
      seen = request
      return new BufferReply(200, { 'X-Route': path })
    },
  }
}

async function ask(router: SystemRouter, target: string, method = 'GET'): Promise<Reply> {
  seen = undefined
  return router.handle(someRequest({ method, target }).request)
}

const router = new SystemRouter(
  [
    route('/system/functions'),
    route('/system/functions', ['POST', 'PUT']),
    route('/system/function/{name}'),
    route('/system/namespace/{ns}'),
    route('/a.b'),
    route('/ui/*', ['GET', 'HEAD']),
  ],
  [],
)

describe('SystemRouter', () => {
  it.each([
    ['/system/functions', '/system/functions'],
    ['/system/functions?x=1', '/system/functions'],
    ['/system/function/echo', '/system/function/{name}'],
    ['/system/%66unctions', '/system/functions'],
    ['/system/namespace/', '/system/namespace/{ns}'],
    ['/ui/', '/ui/*'],
    ['/ui/a/b.js', '/ui/*'],
    ['/ui/a%0Ab', '/ui/*'],
  ])('takes %s to %s', async (target, path) => {
    expect(headerValue((await ask(router, target)).headers, 'x-route')).toBe(path)
  })

  it.each(
    [
      '/system/functions/',
      '/system/function/',
      '/system/function/a/b',
      '/system/function/a%2Fb',
      '/System/functions',
      '//system/functions',
      '/axb',
      '/ui',
      '/%',
      '/',
    ].filter((target) => target !== '/system/function/'),
  )('answers 404 to %s, in the words of OpenFaaS', async (target) => {
    const reply = await ask(router, target)

    expect(reply.status).toBe(404)
    expect(Buffer.from(await reply.bytes(100)).toString()).toBe('404 page not found\n')
  })

  it('answers 405 with the methods that there are', async () => {
    const reply = await ask(router, '/system/functions', 'DELETE')

    expect(reply.status).toBe(405)
    expect(headerValue(reply.headers, 'allow')).toBe('GET, POST, PUT')
  })

  it('decodes the values of a path and hands the query over', async () => {
    await ask(router, '/system/function/a%20b%25?namespace=x%20y&usage')

    expect(seen).toMatchObject({
      method: 'GET',
      path: '/system/function/a b%',
      params: { name: 'a b%' },
      search: '?namespace=x%20y&usage',
    })
    expect(seen?.query.get('namespace')).toBe('x y')
  })

  it('refuses two routes for one method of one path', () => {
    const routes = [route('/x', ['GET', 'POST']), route('/x', ['POST'])]

    expect(() => new SystemRouter(routes, [])).toThrow('two plugins serve POST /x')
  })
})

describe('a middleware of system routes', () => {
  const order: string[] = []
  const layer = (name: string, prefix: string): SystemMiddleware => ({
    prefix,
    handle: async (request, next) => {
      order.push(`${name} in`)
      const reply = await next(request)
      order.push(`${name} out`)
      return reply
    },
  })

  it('wraps the routes below its prefix, the first outermost, and no others', async () => {
    const layers = [layer('outer', '/system/'), layer('inner', '/system/functions'), layer('other', '/ui/')]
    const layered = new SystemRouter([route('/system/functions'), route('/healthz')], layers)

    await ask(layered, '/system/functions')
    await ask(layered, '/healthz')

    expect(order).toEqual(['outer in', 'inner in', 'inner out', 'outer out'])
  })

  it('wraps a route however its path is spelled', async () => {
    const guard: SystemMiddleware = { prefix: '/system/', handle: async () => new BufferReply(401) }
    const guarded = new SystemRouter([route('/system/functions')], [guard])

    const replies = await Promise.all(
      ['/system/functions', '/%73ystem/functions', '/system%2Ffunctions'].map((target) => ask(guarded, target)),
    )

    expect(replies.map(({ status }) => status)).toEqual([401, 401, 401])
  })
})
