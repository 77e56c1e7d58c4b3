/** An upstream's bytes are no acceptable HTTP/1.1 answer: nothing that follows them on the connection can be trusted. */
export class MalformedAnswer extends Error {
  readonly code = 'PILOTLIGHT_MALFORMED_ANSWER'

  constructor(what: string) {
    super(`the answer is malformed: ${what}`)
    this.name = 'MalformedAnswer'
  }
}
