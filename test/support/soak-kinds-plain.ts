import { isDeepStrictEqual } from 'node:util'
import { pause } from './eventually.ts'
import { ask } from './soak-client.ts'
import { digestOf, mebibyte } from './soak-bytes.ts'
import { rightAnswer } from './soak-functions.ts'
import {
  type Ending,
  expected,
  expectedOnce,
  inWords,
  newId,
  right,
  type SoakKind,
  type SoakStage,
} from './soak-kind.ts'
import { type End, fastEnd } from './soak-pace.ts'
import { type BodyFraming, type Direction, transfer } from './soak-transfer.ts'

/** Reads a piece every few milliseconds, so that the gateway meets back-pressure. */
const slowEnd: End = { pace: { turn: () => pause(4) } }
const plan = { bytes: mebibyte, pieceBytes: 16_384 }

/** Calls that end with the right answer of a running function. */
export const plainKinds: readonly SoakKind[] = [
  { name: 'small GET', callers: 2, thinkMs: 15, act: (stage) => get(stage, 'small') },
  { name: 'small POST', callers: 1, thinkMs: 25, act: (stage) => post(stage) },
  { name: 'Expect: 100-continue', callers: 1, thinkMs: 90, act: (stage) => post(stage, { Expect: '100-continue' }) },
  { name: 'body with trailers', callers: 1, thinkMs: 90, act: (stage) => post(stage, { Trailer: 'X-Sum' }) },
  {
    name: 'Connection: close',
    callers: 1,
    thinkMs: 60,
    act: async ({ url }) => {
      const id = newId()
      const answer = await ask({ url: `${url}/function/small?id=${id}`, headers: { Connection: 'close' } })
      return expected(answer, 200, rightAnswer(id))
    },
  },
  { name: 'upstream says close', callers: 1, thinkMs: 90, act: (stage) => get(stage, 'polite') },
  { name: 'upstream closes when idle', callers: 1, thinkMs: 110, act: (stage) => get(stage, 'closing') },
  { name: '1 MiB up', callers: 1, thinkMs: 350, act: (stage) => move(stage, 'upload') },
  { name: '1 MiB down', callers: 1, thinkMs: 350, act: (stage) => move(stage, 'download') },
  { name: '1 MiB down, read slowly', callers: 1, thinkMs: 350, act: (stage) => move(stage, 'download', slowEnd) },
  { name: '1 MiB both ways', callers: 1, thinkMs: 450, act: (stage) => move(stage, 'echo') },
]

/** Calls that end with a failure that must be told as it is. */
export const failingKinds: readonly SoakKind[] = [
  {
    name: 'function fails',
    callers: 1,
    thinkMs: 130,
    act: async ({ url, agent }) => {
      const id = newId()
      return expected(await ask({ url: `${url}/function/failing?id=${id}`, agent }), 500, rightAnswer(id))
    },
  },
  {
    name: 'function crashes',
    callers: 1,
    thinkMs: 130,
    act: async ({ url, agent }) => expected(await ask({ url: `${url}/function/crashing`, agent }), 502, ''),
  },
  {
    name: 'function dies in its answer',
    callers: 1,
    thinkMs: 130,
    act: async ({ url }) => {
      const answer = await ask({ url: `${url}/function/truncating` })
      return answer.status === 200 && !answer.isWhole ? right : { wrong: inWords(answer) }
    },
  },
  {
    name: 'no such function',
    callers: 1,
    thinkMs: 110,
    // Few names: the gateway remembers some thousands for a while, which is no leak.
    act: async ({ url, agent }) => expected(await ask({ url: `${url}/function/unknown-${newId() % 40}`, agent }), 404),
  },
  {
    name: 'no HTTP',
    callers: 1,
    thinkMs: 210,
    act: async ({ url }) =>
      expected(await ask({ url: `${url}/function/small`, headers: { 'Transfer-Encoding': 'x' } }), 400),
  },
]

/** Calls of the gateway's own routes. */
export const systemKinds: readonly SoakKind[] = [
  {
    name: 'scrape',
    callers: 1,
    thinkMs: 1000,
    act: async ({ metricsUrl }) => {
      const answer = await ask({ url: `${metricsUrl}/metrics` })
      return answer.body.includes('process_open_fds') ? expected(answer, 200) : { wrong: inWords(answer) }
    },
  },
  ...['/system/functions', '/system/function/small', '/healthz', '/readyz'].map((path) => ({
    name: path,
    callers: 1,
    thinkMs: 500,
    act: async ({ url, agent }: SoakStage) => expected(await ask({ url: `${url}${path}`, agent }), 200),
  })),
]

async function get({ url, agent }: SoakStage, name: string): Promise<Ending> {
  const id = newId()
  return expected(await ask({ url: `${url}/function/${name}?id=${id}`, agent }), 200, rightAnswer(id))
}

async function post(stage: SoakStage, headers: Readonly<Record<string, string>> = {}): Promise<Ending> {
  const id = newId()
  const { url, agent } = stage
  const body = `body of ${id}`
  const answer = await ask({ url: `${url}/function/small?id=${id}`, method: 'POST', headers, body, agent })
  return expectedOnce(stage, answer, id)
}

async function move({ url }: SoakStage, direction: Direction, reading = fastEnd): Promise<Ending> {
  const framing: BodyFraming = newId() % 2 === 0 ? 'length' : 'chunked'
  const moved = await transfer({ url, direction, framing, plan, reading })
  if (isDeepStrictEqual(moved, { status: 200, isWhole: true, arrived: digestOf(plan) })) return right
  // The functions answer with nothing but digests and bodies: an empty 502 is the gateway's own.
  const { status, isWhole, arrived } = moved
  const isRefused = status === 502 && isWhole && arrived.bytes === 0
  if (isRefused && direction !== 'download') return { excused: 'met a connection that was being closed' }
  return { wrong: `${framing}: ${status}, ${isWhole ? 'whole' : 'truncated'}, ${arrived.bytes} bytes` }
}
