import { readFileSync } from 'node:fs'

interface Manifest {
  readonly scripts: Readonly<Record<string, string>>
}

/** The flags that `npm start` gives to Node: every contender runs with them. */
export const startFlags: readonly string[] = readStartFlags()

function readStartFlags(): readonly string[] {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  const { scripts } = JSON.parse(text) as Manifest // npm's own format
  return (scripts['start'] ?? '').split(' ').filter((word) => word.startsWith('--'))
}
