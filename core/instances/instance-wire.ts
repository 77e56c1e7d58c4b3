/** Where gateways, and the local provider, take reports of sidecars: `POST`, the body is a signed report as text. */
export const reportsPath = '/pilotlight/instances'

/**
 * Where sidecars give slots away, on the port of function traffic: only with the bearer token of `slotsToken`; without it, the path is
 * the function's own.
 */
export const slotsPath = '/.pilotlight/slots'

/** Request header by which a gateway names itself to a sidecar, and says that it understands {@link refusalHeader}. */
export const gatewayHeader = 'x-pilotlight-gateway'

/** Request header with the id of the instance that a gateway means: by now another one may have its address. */
export const instanceHeader = 'x-pilotlight-instance'

/** Request header with the slot that was given to the gateway for this call. */
export const slotHeader = 'x-pilotlight-slot'

/** Answer header of a sidecar that has not let a call in: nothing of it has reached the function. The value is a {@link Refusal}. */
export const refusalHeader = 'x-pilotlight-refusal'

/**
 * Why a sidecar did not let a call in.
 * - `full`: every slot is taken, or given away
 * - `draining`: the instance leaves
 * - `not_ready`: the function does not accept
 * - `mistaken`: this is another instance than the gateway means
 */
export type Refusal = 'full' | 'draining' | 'not_ready' | 'mistaken'
