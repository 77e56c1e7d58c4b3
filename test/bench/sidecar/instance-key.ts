/** What the gateways and sidecars of a benchmark sign with. */
export const instanceKey = 'the key that a benchmark shares with nobody'
