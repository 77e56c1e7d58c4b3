import type { Clock } from '../time/clock.ts'
import type { LinkedClient } from './redis-link.ts'
import { withinLimit } from './within-limit.ts'

/** A client that can be connected. */
export interface ConnectableClient extends LinkedClient {
  connect(): Promise<void>
}

/** How to connect a client. */
export interface ConnectOptions<Client> {
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Longest time for all of it, milliseconds. */
  readonly limitMs: number
  /** What must succeed before the client counts as connected. */
  readonly prepare?: (client: Client) => Promise<unknown>
}

/**
 * Connects a client, or ends it and throws. A client whose log-in or choice of a database was refused is not connected, whatever it
 * thinks.
 *
 * @returns the client itself
 * @throws the first fault that the client told of, LimitPassed, or the signal's reason
 */
export async function connectClient<Client extends ConnectableClient>(
  client: Client,
  { clock, signal, limitMs, prepare }: ConnectOptions<Client>,
): Promise<Client> {
  let fault: Error | undefined
  // Stays for the client's whole life: an 'error' event that nobody listens to would be thrown.
  client.on('error', (error) => (fault ??= error))
  const connected = async (): Promise<void> => {
    await client.connect()
    if (fault !== undefined) throw fault
    await prepare?.(client)
  }
  try {
    await withinLimit(connected(), { clock, limitMs, signal })
    return client
  } catch (error) {
    client.disconnect()
    throw fault ?? error
  }
}
