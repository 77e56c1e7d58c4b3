import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { sidecarVariables } from '../../../../sidecar/settings/variables.ts'

const readme = readFileSync(new URL('../../../../sidecar/README.md', import.meta.url), 'utf8')

describe('the README of the sidecar', () => {
  it('explains every variable, in its own words', () => {
    const rows = sidecarVariables.map(({ name, meaning }) => `| \`${name}\` | ${meaning} |`)

    expect(rows.filter((row) => !readme.includes(row))).toEqual([])
  })
})
