import { describe, expect, it } from 'vitest'
import { seriesValues } from '../../bench/open-loop/scraper.ts'

const page = [
  '# TYPE nodejs_eventloop_lag_max_seconds gauge',
  'nodejs_eventloop_lag_max_seconds 0.012',
  'nodejs_eventloop_lag_max_seconds{worker="1"} 0.5',
  'nodejs_eventloop_lag_max_seconds_more 7',
  '',
].join('\n')

describe('seriesValues', () => {
  it('finds all series of a name, with labels and without', () => {
    expect(seriesValues(page, 'nodejs_eventloop_lag_max_seconds')).toEqual([0.012, 0.5])
  })
})
