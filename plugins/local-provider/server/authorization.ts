import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

/** Credentials that are made anew at every start, so that only who was told may manage functions. */
export class Authorization {
  /** Value of the `Authorization` header. */
  readonly header: string
  readonly #digest: Buffer

  constructor() {
    const credentials = Buffer.from(`pilotlight:${randomBytes(32).toString('hex')}`)
    this.header = `Basic ${credentials.toString('base64')}`
    this.#digest = digestOf(this.header)
  }

  /** Whether a header carries the credentials. Takes the same time for every wrong value. */
  accepts(header: string | undefined): boolean {
    return header !== undefined && timingSafeEqual(digestOf(header), this.#digest)
  }
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
