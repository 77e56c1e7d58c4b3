const ownPrefix = 'PILOTLIGHT_'

/** Reads variables from a JSON object of texts; undefined when it is none. */
export function variablesOf(json: string): Readonly<Record<string, string>> | undefined {
  let parsed: unknown
  try {
    parsed = JSON.parse(json)
  } catch {
    return undefined
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return undefined
  const entries = Object.entries(parsed).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  return entries.length === Object.keys(parsed).length ? Object.fromEntries(entries) : undefined
}

/** Returns the environment of the function: that of the sidecar without `PILOTLIGHT_*`, which concern the sidecar and hold its key. */
export function functionEnvironment(own: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const environment: Record<string, string> = {}
  for (const [name, value] of Object.entries(own)) {
    if (value !== undefined && !name.startsWith(ownPrefix)) environment[name] = value
  }
  return environment
}
