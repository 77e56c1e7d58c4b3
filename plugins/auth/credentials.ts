import { createHash, timingSafeEqual } from 'node:crypto'

const basicHeader = /^basic +([A-Za-z0-9+/]+={0,2}) *$/i
const colon = 0x3a

/** One account, kept as hashes. Comparing takes the same time whatever differs. */
export class Credentials {
  readonly #user: Buffer
  readonly #password: Buffer

  constructor(user: string, password: string) {
    this.#user = hash(Buffer.from(user))
    this.#password = hash(Buffer.from(password))
  }

  /** Whether an `Authorization` header holds this account (RFC 7617). */
  admits(authorization: string | undefined): boolean {
    const encoded = basicHeader.exec(authorization ?? '')?.[1]
    if (encoded === undefined) return false
    const decoded = Buffer.from(encoded, 'base64')
    const end = decoded.indexOf(colon)
    if (end === -1) return false
    const isUser = timingSafeEqual(hash(decoded.subarray(0, end)), this.#user)
    const isPassword = timingSafeEqual(hash(decoded.subarray(end + 1)), this.#password)
    return isUser && isPassword
  }
}

function hash(text: Uint8Array): Buffer {
  return createHash('sha256').update(text).digest()
}
