import { AnswerParser } from '../../../core/http1/answer-parser.ts'
import type { AnswerSink, LineLimits } from '../../../core/http1/answer-sink.ts'
import { MalformedAnswer } from '../../../core/http1/malformed-answer.ts'

/** What a reader made of the bytes of one answer. */
export interface ReadAnswer {
  readonly informational: readonly (readonly [status: number, rawHeaders: readonly string[]])[]
  readonly status: number | undefined
  readonly statusText: string
  readonly rawHeaders: readonly string[]
  readonly body: string
  readonly trailers: readonly string[]
  /** `whole`, `cut` by the end of the bytes, or why the bytes were refused. */
  readonly end: string
  /** Whether the connection could carry another call. */
  readonly reusable: boolean
  /** How many of the pieces were enough for it to be whole; undefined when it is not, or ends with the connection. */
  readonly enough: number | undefined
}

/** Bytes of an answer, cut in pieces, and what is to be known for reading them. */
export interface AnswerBytes {
  readonly pieces: readonly Buffer[]
  readonly method?: string
  /** Whether the connection ends behind them. Default true. */
  readonly ends?: boolean
  readonly limits?: Partial<LineLimits>
}

const usualLimits: LineLimits = { maxHeaderBytes: 1 << 20, maxHeaderLines: 2_000 }

/** Reads the answer as a connection would: what one read brings lies in a buffer with other bytes behind it. */
export function readAnswer({ pieces, method = 'GET', ends = true, limits }: AnswerBytes): ReadAnswer {
  const informational: [number, readonly string[]][] = []
  const body: string[] = []
  let head: Pick<ReadAnswer, 'status' | 'statusText' | 'rawHeaders'> = {
    status: undefined,
    statusText: '',
    rawHeaders: [],
  }
  let trailers: readonly string[] = []
  let reusable = false
  let end = 'cut'
  let read = 0
  let enough: number | undefined
  const sink: AnswerSink = {
    informed: (status, rawHeaders) => void informational.push([status, rawHeaders]),
    answered: (answer) => void (head = answer),
    piece: (bytes, from, to) => void body.push(bytes.toString('latin1', from, to)),
    completed: (given, mayReuse) => {
      trailers = given ?? []
      reusable = mayReuse
      end = 'whole'
      enough = read
      if (!mayReuse) parser.stop()
    },
  }
  const parser = new AnswerParser(sink, { ...usualLimits, ...limits })
  parser.begin(method)
  try {
    for (const piece of pieces) {
      read += 1
      parser.read(Buffer.concat([piece, staleBytes]), piece.length)
    }
  } catch (error) {
    if (!(error instanceof MalformedAnswer)) throw error
    if (end !== 'whole') end = error.message
    reusable = false
  }
  if (end === 'cut' && ends && parser.endsWithConnection) end = 'whole'
  const { status, statusText, rawHeaders } = head
  return { informational, status, statusText, rawHeaders, body: body.join(''), trailers, end, reusable, enough }
}

/** What an earlier read may have left in the buffer: it looks like the end of a head. */
const staleBytes = Buffer.from('\r\n\r\nX: y\r\n\r\n')

/** Latin-1 bytes of a text. */
export function bytesOf(text: string): Buffer {
  return Buffer.from(text, 'latin1')
}
