/** Resolves in the next turn of the event loop, so that calls get on between the pieces of a long piece of work. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
