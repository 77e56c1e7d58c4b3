import { describe, expect, it } from 'vitest'
import { groupOf, placeOf } from '../../bench/profile/groups.ts'
import { summarizeCpu, summarizeHeap } from '../../bench/profile/summary.ts'
import { projectRoot } from '../../support/source-files.ts'

const root = { functionName: '(root)', url: '' }
const engine = { functionName: 'writeH1', url: '/somewhere/node_modules/undici/lib/dispatcher/client-h1.js' }
const pipeline = { functionName: 'handle', url: `file://${projectRoot}/core/pipeline/forward.ts` }
const native = { functionName: 'push', url: '' }
const write = { functionName: 'writev', url: '' }
const idle = { functionName: '(idle)', url: '' }

describe('groupOf', () => {
  it.each([
    [engine, 'engine: undici'],
    [{ functionName: 'x', url: `file://${projectRoot}/core/http1/connection.ts` }, 'engine: h1'],
    [
      { functionName: 'x', url: `file://${projectRoot}/core/http/http-listener.ts` },
      'our side of server and engine (core/http)',
    ],
    [{ functionName: 'x', url: 'node:_http_server' }, 'node:http'],
    [{ functionName: 'x', url: 'node:net' }, 'node:net and streams'],
    [{ functionName: '(garbage collector)', url: '' }, 'garbage collection'],
    [write, 'kernel writes'],
    [native, undefined],
    [{ functionName: 'wasm-function[1]', url: 'wasm://wasm/1' }, undefined],
  ])('knows where %o belongs', (frame, group) => {
    expect(groupOf(frame)).toBe(group)
  })
})

describe('placeOf', () => {
  it('names files from the root of the project, and libraries by their own paths', () => {
    expect([placeOf(pipeline), placeOf(engine), placeOf(native)]).toEqual([
      'handle (core/pipeline/forward.ts)',
      'writeH1 (node_modules/undici/lib/dispatcher/client-h1.js)',
      'push',
    ])
  })
})

describe('summarizeCpu', () => {
  it('counts a native for whoever called it, and idle time not at all', () => {
    const nodes = [
      { id: 1, callFrame: root, children: [2, 4, 6] },
      { id: 2, callFrame: engine, children: [3] },
      { id: 3, callFrame: native },
      { id: 4, callFrame: pipeline, children: [5] },
      { id: 5, callFrame: write },
      { id: 6, callFrame: idle },
    ]
    const summary = summarizeCpu({ nodes, samples: [2, 3, 3, 4, 5, 6], timeDeltas: [1, 2, 3, 4, 50, 1000] })

    expect(summary.groups).toEqual([
      { name: 'kernel writes', amount: 50 },
      { name: 'engine: undici', amount: 6 },
      { name: 'our pipeline: routing, stages, plugins, replicas', amount: 4 },
    ])
    expect(summary.functions[0]).toEqual({ name: 'writev', amount: 50 })
  })
})

describe('summarizeHeap', () => {
  it('sums up bytes of all places of a function', () => {
    const leaf = { callFrame: native, selfSize: 5, children: [] }
    const head = {
      callFrame: root,
      selfSize: 0,
      children: [
        { callFrame: engine, selfSize: 10, children: [leaf] },
        { callFrame: pipeline, selfSize: 1, children: [{ callFrame: engine, selfSize: 20, children: [] }] },
      ],
    }

    expect(summarizeHeap({ head }).groups).toEqual([
      { name: 'engine: undici', amount: 35 },
      { name: 'our pipeline: routing, stages, plugins, replicas', amount: 1 },
    ])
  })
})
