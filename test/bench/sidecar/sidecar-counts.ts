/** Sum of a counter of a sidecar over all of its series. @param page its metrics page */
export function counterTotal(page: string, name: string): number {
  const lines = page.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
  return lines.reduce((sum, line) => sum + Number(/[}\s]\s*(\S+)\s*$/.exec(line)?.[1]), 0)
}

/** Calls that reached the function through a sidecar, from its metrics page. */
export function callsThrough(page: string): number {
  return counterTotal(page, 'pilotlight_sidecar_calls_total')
}
