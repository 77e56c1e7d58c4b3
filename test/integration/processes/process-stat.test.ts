import { describe, expect, it } from 'vitest'
import { readAllProcessStats, readProcessStat } from '../../../core/processes/process-stat.ts'

describe('readProcessStat', () => {
  it('reads this process, whatever it is called', () => {
    const title = process.title
    process.title = 'a) (b c'
    const stat = readProcessStat(process.pid)
    process.title = title

    expect(stat).toMatchObject({ pid: process.pid, state: expect.stringMatching(/^[RS]$/) })
    expect(stat?.startTicks).toBeGreaterThan(0)
    expect(stat?.residentPages).toBeGreaterThan(1000)
  })

  it('knows no process that has ended', () => {
    expect(readProcessStat(2 ** 22 + 1)).toBeUndefined()
  })

  it('finds this process among all', () => {
    expect(readAllProcessStats().map(({ pid }) => pid)).toContain(process.pid)
  })
})
