import { eventually } from './eventually.ts'
import { metricValue } from './metrics-page.ts'
import type { SidecarProcess } from './sidecar-process.ts'

/** Value of a sidecar's own metric, 0 where it has not been counted. @param name without its prefix */
export async function sidecarMetric(sidecar: SidecarProcess, name: string): Promise<number> {
  const { adminUrl } = await sidecarAddresses(sidecar)
  const answer = await fetch(`${adminUrl}/metrics`, { headers: { connection: 'close' } })
  return metricValue(await answer.text(), `pilotlight_sidecar_${name}`) ?? 0
}

/** Where a sidecar listens, as it says itself. */
export async function sidecarAddresses(
  sidecar: SidecarProcess,
): Promise<{ readonly port: number; readonly adminUrl: string }> {
  const [, port, adminPort] = await eventually('the sidecar to listen', () => {
    return /sidecar listening .*\bport=(\d+) adminPort=(\d+)/.exec(sidecar.output) ?? undefined
  })
  return { port: Number(port), adminUrl: `http://127.0.0.1:${adminPort}` }
}
