import { describe, expect, it } from 'vitest'
import { FunctionRouter } from '../../../core/routing/function-router.ts'

const router = new FunctionRouter('fn')

describe('the name of a function', () => {
  it.each([
    ['/function/echo', 'echo', 'fn'],
    ['/function/echo/', 'echo', 'fn'],
    ['/function/echo?x=1', 'echo', 'fn'],
    ['/function/echo.dev', 'echo', 'dev'],
    ['/function/echo.v2.dev/path', 'echo.v2', 'dev'],
    ['/function/echo.', 'echo', 'fn'],
    ['/function/-Echo_9', '-Echo_9', 'fn'],
    ['/function/a..b', 'a.', 'b'],
    ['/function/%65cho', 'echo', 'fn'],
    ['/function/echo%2Edev', 'echo', 'dev'],
    [`/function/${'n'.repeat(253)}`, 'n'.repeat(253), 'fn'],
  ])('of %s is %s in namespace %s', (target, name, namespace) => {
    expect(router.route(target)?.identity).toEqual({ name, namespace, key: `${name}.${namespace}` })
  })

  it.each([
    ['nothing', '/function/'],
    ['only a query', '/function/?x'],
    ['a namespace without a name', '/function/.dev'],
    ['a step up', '/function/..'],
    ['a step up, encoded', '/function/%2e%2e'],
    ['the folder itself', '/function/.'],
    ['an encoded slash', '/function/a%2Fb'],
    ['a NUL', '/function/a%00'],
    ['a line break', '/function/a%0d%0aX'],
    ['a space', '/function/a%20b'],
    ['a letter beyond ASCII', '/function/%C3%A9cho'],
    ['a raw byte beyond ASCII', '/function/\u00e9cho'],
    ['half an escape', '/function/a%'],
    ['an escape that is no UTF-8', '/function/%ff'],
    ['a name encoded twice', '/function/%2565cho'],
    ['300 characters', `/function/${'n'.repeat(300)}`],
    ['254 characters', `/function/${'n'.repeat(254)}`],
    ['an at sign', '/function/a@b'],
    ['a backslash', '/function/a\\b'],
  ])('cannot be %s', (_, target) => {
    expect(router.route(target)).toBeUndefined()
  })

  it('is the same object for the same spelling', () => {
    expect(router.route('/function/echo/a')?.identity).toBe(router.route('/function/echo?b')?.identity)
  })

  it('has no namespace where there is no default', () => {
    const bare = new FunctionRouter('')

    expect(bare.route('/function/echo')?.identity).toEqual({ name: 'echo', namespace: '', key: 'echo' })
    expect(bare.route('/function/echo.dev')?.identity.key).toBe('echo.dev')
  })

  it('is learnt anew after a flood of other names', () => {
    const small = new FunctionRouter('fn')
    small.route('/function/echo')

    for (let i = 0; i < 10_001; i += 1) small.route(`/function/name-${i}`)

    expect(small.route('/function/echo')?.identity.key).toBe('echo.fn')
  })
})

describe('the rest of a function path', () => {
  it.each([
    ['/function/echo', ''],
    ['/function/echo/', '/'],
    ['/function/echo//a/../b/./%2e%2e/%2F%00?q=%zz#f', '//a/../b/./%2e%2e/%2F%00?q=%zz#f'],
    ['/function/echo?', '?'],
    ['/function/echo?a=/b', '?a=/b'],
  ])('of %s is kept as it was received: %s', (target, rest) => {
    expect(router.route(target)?.rest).toBe(rest)
  })
})

describe('the target for a provider', () => {
  it.each([
    ['/function/echo.dev/a%2Fb?c', '/function/echo.dev/a%2Fb?c'],
    ['/function/%65cho/%65?%65', '/function/echo/%65?%65'],
  ])('of %s is %s: only the name is decoded', (target, expected) => {
    expect(router.route(target)?.target).toBe(expected)
  })
})
