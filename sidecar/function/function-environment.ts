const ownPrefix = 'PILOTLIGHT_'

/** Returns the environment of the function: that of the sidecar without `PILOTLIGHT_*`, which concern the sidecar and hold its key. */
export function functionEnvironment(own: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const environment: Record<string, string> = {}
  for (const [name, value] of Object.entries(own)) {
    if (value !== undefined && !name.startsWith(ownPrefix)) environment[name] = value
  }
  return environment
}
