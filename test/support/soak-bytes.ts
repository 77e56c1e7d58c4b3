import { createHash, randomBytes } from 'node:crypto'

export const mebibyte = 1024 * 1024

/** A body that is made, and checked, piece by piece. */
export interface BodyPlan {
  readonly bytes: number
  /** Size of the pieces that it is written in; the last one is what is left. */
  readonly pieceBytes: number
}

/** What came of a body. */
export interface Digest {
  readonly bytes: number
  /** SHA-256, hexadecimal. */
  readonly hash: string
}

/** One window of it moves with every piece, so that pieces that are lost, doubled or swapped change the hash. */
const source = randomBytes(mebibyte + 65_536)
const stepBytes = 4_099
const known = new Map<string, Digest>()

/** The pieces of a body, without a copy of it; the same ones every time. */
export function* piecesOf({ bytes, pieceBytes }: BodyPlan): Generator<Buffer, void> {
  for (let at = 0, index = 0; at < bytes; at += pieceBytes, index += 1) {
    const start = (index * stepBytes) % (source.byteLength - pieceBytes)
    yield source.subarray(start, start + Math.min(pieceBytes, bytes - at))
  }
}

/** What a receiver must have got of a body. */
export function digestOf(plan: BodyPlan): Digest {
  const key = `${plan.bytes}/${plan.pieceBytes}`
  const digest = known.get(key) ?? new RunningDigest().of(piecesOf(plan))
  known.set(key, digest)
  return digest
}

/** Takes a body piece by piece and keeps none. */
export class RunningDigest {
  readonly #hash = createHash('sha256')
  #bytes = 0

  take(piece: Uint8Array): void {
    this.#hash.update(piece)
    this.#bytes += piece.byteLength
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Takes all of these, and ends. */
  of(pieces: Iterable<Uint8Array>): Digest {
    for (const piece of pieces) this.take(piece)
    return this.end()
  }

  /** Nothing can be taken any more. */
  end(): Digest {
    return { bytes: this.#bytes, hash: this.#hash.digest('hex') }
  }
}
