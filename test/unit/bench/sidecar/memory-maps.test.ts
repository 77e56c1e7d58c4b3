import { describe, expect, it } from 'vitest'
import { parseRollup } from '../../../bench/sidecar/memory-maps.ts'

const rollup = `00400000-7ffc8a5f3000 ---p 00000000 00:00 0    [rollup]
Rss:               62464 kB
Pss:               32768 kB
Pss_Anon:          17000 kB
Private_Clean:      1024 kB
Private_Dirty:     16384 kB
`

describe('parseRollup', () => {
  it('reads megabytes, and tells fields with similar names apart', () => {
    expect(parseRollup(rollup)).toEqual({ residentMb: 61, proportionalMb: 32, privateMb: 17 })
  })
})
