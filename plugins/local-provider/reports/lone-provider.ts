import type { InstanceReceipt, InstanceRegistry } from '#core'

/** As gateways do by default. */
const ttlMs = 10_000

/** Answers reports for a provider without a gateway in its process: sidecars tell gateways by themselves. */
export class LoneProvider implements InstanceRegistry {
  async take(): Promise<InstanceReceipt> {
    return { ttlMs, acknowledged: 0, silent: 0 }
  }
}
