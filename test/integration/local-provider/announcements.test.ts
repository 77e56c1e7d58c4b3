import { describe, expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import type { FunctionIdentity } from '../../../core/provider/function-identity.ts'
import { ProviderHarness, stateDirectory } from './harness.ts'

guardAgainstLeaks()

/** Notes what is announced. */
class Listener {
  readonly heard: string[] = []
  /** What announcing waits for, or fails with. */
  answer: () => Promise<void> = async () => {}

  announceReady = async ({ key }: FunctionIdentity, available = 1): Promise<void> => {
    this.heard.push(`${key} ${available}`)
    await this.answer()
  }
}

const server = {
  envProcess: `${process.execPath} ${import.meta.dirname}/functions/server.js`,
  envVars: { mode: 'http' },
}
const asleep = { labels: { 'com.openfaas.scale.zero': 'true' } }

describe('announcements of the local provider', () => {
  it('tell of a server as soon as its first replica accepts, and not of the next ones', async () => {
    const announcer = new Listener()
    await using provider = await ProviderHarness.start({ announcer, options: { samples: true } })

    await provider.scale('hello', 1)
    expect(announcer.heard).toEqual([])
    await eventually('the announcement', () => announcer.heard.length > 0)
    expect((await provider.call('hello')).status).toBe(200)
    await provider.scale('hello', 3)
    await provider.available('hello', 3)

    expect(announcer.heard).toEqual(['hello.openfaas-fn 1'])
  })

  it('tell again after the function was at zero, or its only process died', async () => {
    const announcer = new Listener()
    await using provider = await ProviderHarness.start({ announcer })
    await provider.deploy({ service: 'mortal', ...server })
    await provider.available('mortal', 1)

    await provider.scale('mortal', 0)
    await provider.scale('mortal', 1)
    await provider.available('mortal', 1)
    await provider.call('mortal/crash').catch(() => {})
    await eventually('a third announcement', () => announcer.heard.length === 3)

    expect(announcer.heard).toEqual(Array.from({ length: 3 }, () => 'mortal.openfaas-fn 1'))
  })

  it('do not tell while an update goes on with the replicas of before', async () => {
    const announcer = new Listener()
    await using provider = await ProviderHarness.start({ announcer })
    await provider.deploy({ service: 'updated', ...server })
    await provider.available('updated', 1)
    const pid = async (): Promise<string> => (await provider.call('updated/pid')).text()
    const before = await pid()

    await provider.deploy({ service: 'updated', ...server, envVars: { ...server.envVars, version: '2' } })
    await eventually('the new revision', async () => (await pid()) !== before)

    expect(announcer.heard).toEqual(['updated.openfaas-fn 1'])
  })

  it('tell of a classic function, and of what a restart runs again', async () => {
    using directory = stateDirectory()
    const announcer = new Listener()
    await using provider = await ProviderHarness.start({ announcer, stateDirectory: directory.path })
    await provider.system('POST', 'namespace/', { name: 'staging' })
    await provider.deploy({ service: 'classic', envProcess: 'cat', namespace: 'staging', ...asleep })
    await eventually('the announcement', () => announcer.heard.length === 1)
    await provider.end()

    await provider.begin()
    await eventually('another one', () => announcer.heard.length === 2)

    expect(announcer.heard).toEqual(['classic.staging 1', 'classic.staging 1'])
  })

  it('cost the function nothing when nobody answers, and do not pile up', async () => {
    const announcer = new Listener()
    const release = Promise.withResolvers<void>()
    announcer.answer = () => release.promise
    await using provider = await ProviderHarness.start({ announcer })
    await provider.deploy({ service: 'classic', envProcess: 'cat' })

    for (let i = 0; i < 3; i += 1) {
      await provider.available('classic', 1)
      expect(await provider.scale('classic', 0)).toBe(202)
      expect(await provider.scale('classic', 1)).toBe(202)
    }
    await provider.available('classic', 1)
    expect((await provider.call('classic', { method: 'POST', body: 'x' })).status).toBe(200)
    expect(announcer.heard).toHaveLength(1)

    release.resolve()
    await eventually('the one that follows', () => announcer.heard.length === 2)
    expect(await provider.scale('classic', 0)).toBe(202)
    expect(announcer.heard).toHaveLength(2)
  })

  it('that fail are logged once until one succeeds, and tried again with the next readiness', async () => {
    const announcer = new Listener()
    announcer.answer = () => Promise.reject(new Error('nobody is there'))
    await using provider = await ProviderHarness.start({ announcer })
    await provider.deploy({ service: 'classic', envProcess: 'cat' })
    await provider.available('classic', 1)
    const again = async (): Promise<void> => {
      await provider.scale('classic', 0)
      await provider.scale('classic', 1)
      await provider.available('classic', 1)
    }
    await again()
    await again()
    const warning = 'gateways could not be told that a function is ready: they find out by asking'
    expect(provider.log.messages('warn')).toEqual([warning])

    announcer.answer = async () => {}
    await again()
    announcer.answer = () => Promise.reject(new Error('gone again'))
    await again()

    expect(announcer.heard).toHaveLength(5)
    expect(provider.log.messages('warn')).toEqual([warning, warning])
  })
})
