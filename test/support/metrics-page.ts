import { eventually } from './eventually.ts'
import type { GatewayProcess } from './gateway-process.ts'

/** Value of the first series of a name that has these labels, whatever their order; undefined when there is none. */
export function metricValue(
  page: string,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`)
  const line = page.split('\n').find((one) => {
    return (one.startsWith(`${name}{`) || one.startsWith(`${name} `)) && wanted.every((part) => one.includes(part))
  })
  return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(' ') + 1))
}

/** Resolves with the metrics page once it is as wanted: calls are counted after their last byte, which a client may see first. */
export function metricsPageWith(gateway: GatewayProcess, isWanted: (page: string) => boolean): Promise<string> {
  return eventually('the metrics page to show it', async () => {
    const page = await gateway.metrics()
    return isWanted(page) && page
  })
}

/** Resolves once the gateway holds exactly `count` calls. */
export async function heldCalls(gateway: GatewayProcess, count: number): Promise<void> {
  await metricsPageWith(gateway, (page) => metricValue(page, 'pilotlight_held_requests') === count)
}
