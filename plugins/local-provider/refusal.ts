/** Why a call of the provider's API is not carried out: the status and the text that the caller sees. */
export class Refusal extends Error {
  readonly status: number
  /** Headers of the answer that say more to a program. */
  readonly headers: Readonly<Record<string, string>>

  /** @param message safe to show: what is wrong, the value, the remedy; may be empty */
  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message)
    this.name = 'Refusal'
    this.status = status
    this.headers = headers
  }
}
