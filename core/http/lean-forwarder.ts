import type { Clock } from '../time/clock.ts'
import { H1Forwarder } from '../http1/h1-forwarder.ts'
import { EngineForwarder } from './engine.ts'
import type { Forwarder } from './forwarder.ts'
import { LazyForwarder } from './lazy-forwarder.ts'
import type { ForwarderOptions } from './undici-forwarder.ts'

/**
 * Creates the forwarder of a process that has to stay small: its own HTTP/1.1 client for plain calls; http-proxy, loaded with its first
 * call, for upgrades, bodies with trailers and `https:` origins.
 */
export function createLeanForwarder(clock: Clock, options: ForwarderOptions): Forwarder {
  const httpProxy = new LazyForwarder(async () => {
    const { HttpProxyForwarder } = await import('./http-proxy-forwarder.ts')
    return new HttpProxyForwarder({ clock, options })
  })
  return new EngineForwarder({ httpProxy, plain: new H1Forwarder({ clock, options, fallback: httpProxy }) })
}
