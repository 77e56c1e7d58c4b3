/** What was asked for cannot be done; the message says to which object, why, and what to do instead. */
export class Refusal extends Error {}
