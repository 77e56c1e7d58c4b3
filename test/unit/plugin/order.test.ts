import { describe, expect, it } from 'vitest'
import { token, type Plugin, type Token } from '#core'
import { orderPlugins } from '../../../core/plugin/order.ts'
import { loaded, somePlugin } from './plugins.ts'

const [A, B, C] = ['A', 'B', 'C'].map((name) => token<unknown>(name)) as [
  Token<unknown>,
  Token<unknown>,
  Token<unknown>,
]

function plugin(name: string, needs: readonly Token<unknown>[] = [], provides: readonly Token<unknown>[] = []): Plugin {
  return somePlugin(name, { needs: Object.fromEntries(needs.map((of, at) => [`need${at}`, of])), provides })
}

function order(plugins: readonly Plugin[], ofCore: readonly Token<unknown>[] = []): readonly string[] {
  return orderPlugins(loaded(...plugins), (of) => ofCore.includes(of)).map((one) => one.plugin.name)
}

describe('orderPlugins', () => {
  it('keeps the order of the configuration where nobody needs anybody', () => {
    expect(order([plugin('c'), plugin('a'), plugin('b')])).toEqual(['c', 'a', 'b'])
  })

  it('puts those that provide before those that need, over several steps', () => {
    const plugins = [plugin('top', [B]), plugin('middle', [A], [B]), plugin('aside'), plugin('bottom', [], [A])]

    expect(order(plugins)).toEqual(['bottom', 'middle', 'top', 'aside'])
  })

  it('counts what core provides as there', () => {
    expect(order([plugin('user', [A])], [A])).toEqual(['user'])
  })

  it('refuses two plugins of one name, and says where both stand', () => {
    const ordering = () => order([plugin('twin'), plugin('other'), plugin('twin')])

    expect(ordering).toThrow('plugins[2]: a plugin named "twin" already stands at plugins[0]')
    expect(ordering).toThrow(expect.objectContaining({ code: 'plugin_duplicate' }))
  })

  it('refuses two plugins that provide one token', () => {
    const ordering = () => order([plugin('redis', [], [A]), plugin('etcd', [], [A])])

    expect(ordering).toThrow('plugins "redis" and "etcd" both provide A; keep one')
    expect(ordering).toThrow(expect.objectContaining({ code: 'plugin_duplicate' }))
  })

  it('lists all missing needs of all plugins in one error', () => {
    const ordering = () => order([plugin('one', [A, B]), plugin('two', [C])], [B])

    expect(ordering).toThrow(
      'plugin "one" needs A, which no loaded plugin provides\nplugin "two" needs C, which no loaded plugin provides',
    )
    expect(ordering).toThrow(expect.objectContaining({ code: 'need_missing' }))
  })

  it.each([
    ['of two', [plugin('a', [B], [A]), plugin('b', [A], [B])], 'a -> b -> a'],
    ['of one', [plugin('self', [A], [A])], 'self -> self'],
    ['behind an innocent one', [plugin('user', [A]), plugin('a', [B], [A]), plugin('b', [A], [B])], 'a -> b -> a'],
  ])('names a circle %s', (_, plugins, circle) => {
    const ordering = () => order(plugins)

    expect(ordering).toThrow(`plugins need each other in a circle: ${circle}`)
    expect(ordering).toThrow(expect.objectContaining({ code: 'need_missing' }))
  })
})
