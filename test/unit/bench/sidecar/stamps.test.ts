import { describe, expect, it } from 'vitest'
import { stampsOf, stampsOfText } from '../../../bench/sidecar/stamps.ts'

const line = '{"bench-stamp":"told","subject":"resize","atMs":12.5}'

describe('stamps', () => {
  it('are found among other lines of a decoded log', () => {
    expect(stampsOf([{ msg: 'gateway listening' }, JSON.parse(line)])).toEqual([
      { event: 'told', subject: 'resize', atMs: 12.5 },
    ])
  })

  it('are found among lines that are no JSON', () => {
    expect(stampsOfText(['2026/11/21 plain text', '{"msg":"other"}', line])).toHaveLength(1)
  })
})
