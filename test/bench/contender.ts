/** A process that answers `GET /function/echo`; what it starts belongs to it. */
export interface Contender {
  readonly name: string
  readonly url: string
  readonly pid: number
}

/** The contender that the others are compared with. */
export const gatewayName = 'pilotlight'
