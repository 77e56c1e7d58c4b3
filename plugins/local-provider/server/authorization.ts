import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

/** Who may manage functions. */
export class Authorization {
  /** Value of the `Authorization` header that is accepted; undefined when everybody is. */
  readonly header: string | undefined
  readonly #digest: Buffer | undefined

  private constructor(header: string | undefined) {
    this.header = header
    this.#digest = header === undefined ? undefined : digestOf(header)
  }

  /** Credentials that are made anew at every start, so that only who was told may manage functions. */
  static ofThisStart(): Authorization {
    return Authorization.of('pilotlight', randomBytes(32).toString('hex'))
  }

  /** One account (RFC 7617). */
  static of(user: string, password: string): Authorization {
    return new Authorization(`Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`)
  }

  /** Everybody who reaches the provider. */
  static open(): Authorization {
    return new Authorization(undefined)
  }

  /** Whether a header carries the credentials. Takes the same time for every wrong value. */
  accepts(header: string | undefined): boolean {
    if (this.#digest === undefined) return true
    return header !== undefined && timingSafeEqual(digestOf(header), this.#digest)
  }
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
