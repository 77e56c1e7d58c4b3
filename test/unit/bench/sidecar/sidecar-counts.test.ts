import { describe, expect, it } from 'vitest'
import { medianAdded } from '../../../bench/sidecar/added.ts'
import { callsThrough } from '../../../bench/sidecar/sidecar-counts.ts'

const page = `# TYPE pilotlight_sidecar_calls_total counter
pilotlight_sidecar_calls_total{function_name="echo",code="200"} 40
pilotlight_sidecar_calls_total{function_name="echo",code="500"} 2
pilotlight_sidecar_calls_total_more{function_name="echo"} 9
`

describe('callsThrough', () => {
  it('adds the calls of all statuses up', () => {
    expect(callsThrough(page)).toBe(42)
  })

  it('is none on the page of a sidecar that was not called', () => {
    expect(callsThrough('')).toBe(0)
  })
})

describe('medianAdded', () => {
  it('subtracts within a round, so that a slow round tells nothing', () => {
    expect(medianAdded([11, 105, 12], [10, 100, 10], (one) => one)).toBe(2)
  })

  it('is no number when nothing can be compared', () => {
    expect(medianAdded([1], [], (one) => one)).toBeNaN()
  })
})
