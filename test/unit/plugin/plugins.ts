import { z } from 'zod'
import { definePlugin, GatewayConfig, Logger, type Needs, type Plugin, type PluginInstance, type Token } from '#core'
import { Container } from '../../../core/container/container.ts'
import { Teardown } from '../../../core/container/teardown.ts'
import { PluginHost } from '../../../core/plugin/host.ts'
import type { LoadedPlugin } from '../../../core/plugin/load.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { FakeLogger } from '../../support/fake-logger.ts'

/** What a test may decide about a plugin. */
export interface SomePlugin {
  readonly needs?: Needs
  readonly provides?: readonly Token<unknown>[]
  readonly setup?: Plugin['setup']
  readonly instance?: PluginInstance
}

/** A plugin without options that contributes what it is told. */
export function somePlugin(name: string, { needs = {}, provides, setup, instance = {} }: SomePlugin = {}): Plugin {
  return definePlugin({
    name,
    needs,
    ...(provides === undefined ? {} : { provides }),
    options: z.strictObject({}),
    setup: setup ?? (() => instance),
  })
}

/** Gives plugins their places in a configuration. */
export function loaded(...plugins: readonly Plugin[]): readonly LoadedPlugin[] {
  return plugins.map((plugin, at) => ({ plugin, options: undefined, path: `plugins[${at}]` }))
}

/** A host, and what surrounds it. */
export interface HostUnderTest {
  readonly clock: FakeClock
  readonly log: FakeLogger
  readonly teardown: Teardown
  readonly container: Container
  readonly host: PluginHost
}

/** A host with a container that has a configuration and a log. */
export function someHost(): HostUnderTest {
  const clock = new FakeClock()
  const log = new FakeLogger()
  const teardown = new Teardown()
  const container = new Container([], teardown)
  container.addValue(Logger, log)
  container.addValue(GatewayConfig, { port: 8080 })
  const host = new PluginHost({ container, teardown, clock, setupTimeoutMs: 10_000 })
  return { clock, log, teardown, container, host }
}
