import { describe, expect, it } from 'vitest'
import { token } from '#core'
import { Container, provide } from '../../../core/container/container.ts'
import { Teardown } from '../../../core/container/teardown.ts'

interface Store {
  readonly name: string
}
const Store = token<Store>('Store')
const Cache = token<{ store: Store }>('Cache')

describe('Container', () => {
  it('makes a service on first use, once', () => {
    let made = 0
    const container = new Container([provide(Store, {}, () => ({ name: `store ${(made += 1)}` }))], new Teardown())
    const madeBefore = made

    const [first, second] = [container.resolve(Store), container.resolve(Store)]

    expect(madeBefore).toBe(0)
    expect(second).toBe(first)
    expect(made).toBe(1)
  })

  it('hands a factory what it needs, under its own names', () => {
    const container = new Container(
      [provide(Cache, { store: Store }, ({ store }) => ({ store })), provide(Store, {}, () => ({ name: 'memory' }))],
      new Teardown(),
    )

    expect(container.resolve(Cache).store).toBe(container.resolve(Store))
  })

  it('closes what it made, last made first, and nothing that it did not make', async () => {
    const closed: string[] = []
    const closing = (name: string): Store & AsyncDisposable => ({
      name,
      [Symbol.asyncDispose]: async () => void closed.push(name),
    })
    const Unused = token<Store>('Unused')
    const Given = token<Store>('Given')
    const Early = token<Store & Disposable>('Early')
    const teardown = new Teardown()
    const container = new Container(
      [
        provide(Early, {}, () => ({ name: 'early', [Symbol.dispose]: () => void closed.push('early') })),
        provide(Store, { early: Early }, () => closing('store')),
        provide(Cache, { store: Store }, ({ store }) => ({ store, ...closing('cache') })),
        provide(Unused, {}, () => closing('unused')),
      ],
      teardown,
    )
    container.addValue(Given, closing('given'))
    container.resolve(Given)
    container.resolve(Cache)

    await teardown[Symbol.asyncDispose]()

    expect(closed).toEqual(['cache', 'store', 'early'])
  })

  it('knows what it has', () => {
    const container = new Container([provide(Store, {}, () => ({ name: 'memory' }))], new Teardown())

    expect([container.has(Store), container.has(Cache)]).toEqual([true, false])
  })

  it('keeps two gateways in one process apart', () => {
    const [one, two] = [new Container([], new Teardown()), new Container([], new Teardown())]

    one.addValue(Store, { name: 'one' })

    expect(two.has(Store)).toBe(false)
  })

  it('tells two tokens of one name apart', () => {
    const container = new Container([], new Teardown())

    container.addValue(Store, { name: 'mine' })

    expect(container.has(token<Store>('Store'))).toBe(false)
  })
})
