import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { answers, cutAt, cutPlaces } from './answers.ts'
import { bytesOf, readAnswer, type ReadAnswer } from './read-answer.ts'
import { readByNode } from './read-by-node.ts'

const methods = fc.constantFrom('GET', 'GET', 'GET', 'HEAD')

/** What is refused although node's client takes it, by the words of the refusal. */
const stricter: readonly RegExp[] = [
  /it is not HTTP\/1$|it is neither HTTP\/1.1 nor HTTP\/1.0/, // HTTP/0.9, HTTP/2.0, empty lines before the status line
  /its status is not a number of three digits/, // below 100
  /its reason phrase is invalid/, // controls
  /its transfer coding is not known/, // identity, gzip and chunked in a row
  /it is chunked and has another framing, too/, // HTTP/1.0
  /it changes the protocol/, // 101, which only an upgrade may get
  /the size of a chunk is too long/, // leading zeros
  /its Content-Length is too large/, // more than 2 ** 53 - 1
  /a trailer frames the body/, // Transfer-Encoding
]

function outcome({ end }: ReadAnswer): 'whole' | 'cut' | 'refused' {
  return end === 'whole' || end === 'cut' ? end : 'refused'
}

function content({ informational, status, statusText, rawHeaders, body, trailers }: ReadAnswer): object {
  return { informational, status, statusText, rawHeaders, body, trailers }
}

/** The bytes without those behind the answer. */
function answerOnly(text: string, method: string): Buffer {
  const bytes = bytesOf(text)
  const { enough } = readAnswer({ pieces: Array.from(bytes, (byte) => Buffer.of(byte)), method })
  return bytes.subarray(0, enough)
}

describe('AnswerParser', () => {
  it('reads what it takes as node does, up to the byte where it ends', async () => {
    const whole = fc
      .tuple(answers, methods)
      .filter(([text, method]) => readAnswer({ pieces: [bytesOf(text)], method }).end === 'whole')
    await fc.assert(
      fc.asyncProperty(whole, async ([text, method]) => {
        const pieces = [answerOnly(text, method)]

        const nodes = await readByNode({ pieces, method })

        expect(nodes.end).toBe('whole')
        expect(content(readAnswer({ pieces, method }))).toEqual(content(nodes))
      }),
      { numRuns: 500 },
    )
  })

  it('refuses what node takes for the listed reasons only', async () => {
    const refused = fc
      .tuple(answers, methods)
      .filter(([text, method]) => readAnswer({ pieces: [bytesOf(text)], method }).end !== 'whole')
    await fc.assert(
      fc.asyncProperty(refused, async ([text, method]) => {
        const pieces = [bytesOf(text)]

        const nodes = await readByNode({ pieces, method })

        if (nodes.end === 'whole')
          expect(stricter).toContainEqual(stricter.find((reason) => reason.test(readAnswer({ pieces, method }).end)))
      }),
      { numRuns: 1_000 },
    )
  })

  it('reads the same however the bytes are cut', () => {
    fc.assert(
      fc.property(answers, cutPlaces, methods, (text, places, method) => {
        const atOnce = readAnswer({ pieces: [bytesOf(text)], method })
        const inPieces = readAnswer({ pieces: cutAt(text, places), method })

        expect(outcome(inPieces)).toBe(outcome(atOnce))
        if (atOnce.end === 'whole') expect({ ...inPieces, enough: 0 }).toEqual({ ...atOnce, enough: 0 })
      }),
      { numRuns: 2_000 },
    )
  })
})
