/** Works a list off, at most `atOnce` entries at the same time, in order. @throws what the first failing entry throws */
export async function inBatches<T>(all: readonly T[], atOnce: number, work: (one: T) => Promise<void>): Promise<void> {
  for (let from = 0; from < all.length; from += atOnce) await Promise.all(all.slice(from, from + atOnce).map(work))
}
