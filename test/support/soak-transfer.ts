import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { type BodyPlan, type Digest, piecesOf, RunningDigest } from './soak-bytes.ts'
import { type End, fastEnd } from './soak-pace.ts'

/** `length`: with Content-Length; `chunked`: without. */
export type BodyFraming = 'length' | 'chunked'

/** Which way the body goes: to the function, from it, or both ways at once. */
export type Direction = 'upload' | 'download' | 'echo'

/** One body to move through a gateway. */
export interface Transfer {
  /** URL of the gateway. */
  readonly url: string
  readonly direction: Direction
  readonly framing: BodyFraming
  readonly plan: BodyPlan
  /** How the client writes. Default: fast. */
  readonly writing?: End
  /** How the client reads. Default: fast. */
  readonly reading?: End
  /** Name of the function's end, when that is not fast. */
  readonly farEnd?: string
}

/** What came of a transfer. */
export interface Transferred {
  readonly status: number
  /** Whether the framing of the answer says that it is whole. */
  readonly isWhole: boolean
  /** What arrived at the far end of the body. */
  readonly arrived: Digest
}

const functionOf: Readonly<Record<Direction, string>> = { upload: 'sink', download: 'source', echo: 'echo' }

/** Moves a body on a connection of its own. @throws Error when the connection breaks */
export async function transfer(wish: Transfer): Promise<Transferred> {
  const { plan, framing, direction, url } = wish
  const query = `bytes=${plan.bytes}&piece=${plan.pieceBytes}&framing=${framing}&end=${wish.farEnd ?? ''}`
  const sends = direction !== 'download'
  const outgoing = request(`${url}/function/${functionOf[direction]}?${query}`, {
    method: sends ? 'POST' : 'GET',
    headers: sends && framing === 'length' ? { 'Content-Length': plan.bytes } : {},
    agent: false,
  })
  const sending = sends ? pipeline(bodyOf(plan, wish.writing), outgoing) : outgoing.end()
  const [answer] = await Promise.all([answered(outgoing, wish), sending])
  return answer
}

/** Reads a body and keeps nothing of it. */
export async function digestFrom(body: Readable, { pace, underWay }: End = fastEnd): Promise<Digest> {
  const digest = new RunningDigest()
  for await (const piece of body) {
    digest.take(piece as Buffer) // a byte stream yields Buffers
    underWay?.read((piece as Buffer).byteLength)
    await pace.turn()
  }
  return digest.end()
}

/** A body as a stream. */
export function bodyOf(plan: BodyPlan, end: End = fastEnd): Readable {
  return Readable.from(writtenPieces(plan, end), { objectMode: false })
}

async function* writtenPieces(plan: BodyPlan, { pace, underWay }: End): AsyncGenerator<Buffer, void> {
  for (const piece of piecesOf(plan)) {
    await pace.turn()
    underWay?.wrote(piece.byteLength)
    yield piece
  }
}

async function answered(outgoing: ClientRequest, { direction, reading }: Transfer): Promise<Transferred> {
  const incoming = await new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once('response', resolve)
    outgoing.once('error', reject)
  })
  const arrived = direction === 'upload' ? digestIn(await text(incoming)) : await digestFrom(incoming, reading)
  return { status: incoming.statusCode ?? 0, isWhole: incoming.complete, arrived }
}

/** An upload is answered with what arrived. */
function digestIn(answer: string): Digest {
  try {
    return JSON.parse(answer) as Digest // what the function `sink` wrote
  } catch {
    return { bytes: 0, hash: answer }
  }
}
