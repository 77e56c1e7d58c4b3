import type { HeaderList } from '../http/header-list.ts'
import type { AnswerHead } from './answer-head.ts'

/** Takes the content of a body. */
export interface PieceSink {
  /** The bytes are valid during the call only. */
  piece(bytes: Buffer, start: number, end: number): void
}

/** Is told what a connection delivers, in the order `informed* answered piece* completed` for each call. */
export interface AnswerSink extends PieceSink {
  /** An informational answer. */
  informed(status: number, rawHeaders: HeaderList): void
  answered(head: AnswerHead): void
  /**
   * The answer is whole.
   * @param reusable whether the connection may carry another call, as far as the answer decides
   */
  completed(trailers: HeaderList | undefined, reusable: boolean): void
}

/** What limits the lines of one answer. */
export interface LineLimits {
  /** Bytes of head and trailers, informational heads included. */
  readonly maxHeaderBytes: number
  /** Header lines of one head. */
  readonly maxHeaderLines: number
}
