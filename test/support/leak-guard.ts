import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'
import { eventually } from './eventually.ts'
import { openSockets } from './open-sockets.ts'

/** Handles that tests of this project make, as node names them. Timers are left out: the runner has its own. */
const watched = ['TCPSocketWrap', 'TCPServerWrap', 'ProcessWrap', 'FSEventWrap', 'Worker', 'MessagePort'] as const

/**
 * Fails a test that leaves a socket, server or process behind.
 *
 * @param scope `each` looks after every test; `file` after the last, for files whose tests share a gateway. Call it before
 *   any other hook, so that it looks last.
 */
export function guardAgainstLeaks(scope: 'each' | 'file' = 'each'): void {
  let before: Readonly<Record<string, number>> = {}
  const note = (): void => void (before = handles())
  const check = (): Promise<void> => expectNothingLeft(before)
  if (scope === 'each') {
    beforeEach(note)
    afterEach(check)
  } else {
    beforeAll(note)
    afterAll(check)
  }
}

async function expectNothingLeft(before: Readonly<Record<string, number>>): Promise<void> {
  try {
    await eventually('handles to close', () => left(before).length === 0, 2_000)
  } catch {
    expect(described(left(before)), 'handles that the test left open').toEqual([])
  }
}

/** With the ports of all sockets that are open now, for those who look for the one that was left. */
function described(names: readonly string[]): readonly string[] {
  return names.some((name) => name.startsWith('TCP')) ? [...names, ...openSockets()] : names
}

function left(before: Readonly<Record<string, number>>): string[] {
  const now = handles()
  return watched.flatMap((kind) => {
    const more = (now[kind] ?? 0) - (before[kind] ?? 0)
    return more > 0 ? [`${kind} x ${more}`] : []
  })
}

function handles(): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1
  return counts
}
