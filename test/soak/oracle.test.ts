import { describe, expect, it } from 'vitest'
import type { Sample } from '../support/soak-sample.ts'
import type { KindCounts } from '../support/soak-tally.ts'
import { judge, type Evidence } from './oracle.ts'

function sample(changes: Partial<Sample> = {}): Sample {
  return {
    acts: 1000,
    processes: 1,
    heapBytes: 25_000_000,
    bufferBytes: 600_000,
    descriptors: 30,
    resources: { TCPServerWrap: 2 },
    objects: { Function: 20_000, Socket: 4 },
    unfinished: { 'number of held calls': 0 },
    ...changes,
  }
}

function counts(changes: Partial<KindCounts> = {}): KindCounts {
  return { begun: 100, right: 100, excused: 0, wrong: [], wrongCount: 0, ...changes }
}

/** A run with nothing wrong, but for `changes`. */
function evidence(changes: Partial<Evidence> = {}): Evidence {
  return {
    title: 'a run',
    kinds: new Map([['small', counts()]]),
    fewestActs: 10,
    samples: [sample(), sample({ acts: 2000 }), sample({ acts: 3000 })],
    complaints: [],
    ...changes,
  }
}

function withKind(changes: Partial<KindCounts>): Evidence {
  return evidence({ kinds: new Map([['small', counts(changes)]]) })
}

function withLast(changes: Partial<Sample>): Evidence {
  return evidence({ samples: [sample(), sample(), sample(changes)] })
}

describe('the oracle of the soak', () => {
  it('finds nothing wrong with a good run, and tells it in one line', () => {
    const { violations, summary } = judge(evidence({ kinds: new Map([['small', counts({ right: 99, excused: 1 })]]) }))

    expect(violations).toEqual([])
    expect(summary).toBe(
      'a run: 3000 acts (small 100 (1 excused)); heap 25.00 25.00 25.00 MB; buffers 0.60 0.60 0.60 MB; ' +
        'objects 20004 20004 20004; descriptors 30 30 30; at the end TCPServerWrap 2',
    )
  })

  it('does not take noise for a leak', () => {
    const noisy = { heapBytes: 25_400_000, descriptors: 32, objects: { Function: 20_150, Socket: 6, Timeout: 9 } }

    expect(judge(withLast(noisy)).violations).toEqual([])
  })

  it('allows each process its noise', () => {
    const samples = [sample({ processes: 3 }), sample({ processes: 3, heapBytes: 26_500_000 })]

    expect(judge(evidence({ samples })).violations).toEqual([])
  })

  it('compares with the least, however much a process has at first', () => {
    const samples = [sample({ heapBytes: 27_000_000 }), sample(), sample({ heapBytes: 26_000_000 })]

    expect(judge(evidence({ samples })).violations).toEqual(['the heap grew: 27000000, 25000000, 26000000'])
  })

  it.each<[string, Evidence, RegExp]>([
    ['nobody who called', evidence({ kinds: new Map() }), /nobody called/],
    ['a kind that hardly called', withKind({ begun: 9, right: 9 }), /only 9 acts of "small"/],
    ['a single sample', evidence({ samples: [sample()] }), /only 1 samples/],
    ['a wrong answer', withKind({ right: 99, wrong: ['500 "x"'], wrongCount: 1 }), /"small": 500 "x"/],
    ['many wrong answers', withKind({ right: 50, wrong: ['no answer'], wrongCount: 50 }), /49 more were wrong/],
    ['an act without an end', withKind({ right: 98 }), /"small": 2 of 100 acts have no end/],
    ['too many excuses', withKind({ right: 90, excused: 10 }), /10 of 100 acts were excused/],
    ['a growing heap', withLast({ heapBytes: 25_700_000 }), /the heap grew/],
    ['growing buffers', withLast({ bufferBytes: 1_900_000 }), /memory of buffers grew/],
    ['growing descriptors', withLast({ descriptors: 35 }), /open descriptors grew: 30, 30, 35/],
    [
      'a kind of resource that was not there',
      withLast({ resources: { Timeout: 5 } }),
      /resources Timeout grew: 0, 0, 5/,
    ],
    ['objects of a rare class', withLast({ objects: { Socket: 110 } }), /objects of class Socket grew: 4, 4, 110/],
    ['objects of a common class', withLast({ objects: { Function: 20_400 } }), /objects of class Function grew/],
    [
      'a call that is still held',
      withLast({ unfinished: { 'number of held calls': 1 } }),
      /held calls was 1 after 1000/,
    ],
    ['a warning', evidence({ complaints: ['MaxListenersExceededWarning'] }), /MaxListenersExceededWarning/],
    ['many warnings', evidence({ complaints: Array.from({ length: 9 }, () => 'x') }), /and 4 more/],
  ])('finds %s', (_what, bad, found) => {
    expect(judge(bad).violations.join('; ')).toMatch(found)
  })
})
