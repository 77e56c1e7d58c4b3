import { GatewayError } from '../errors/gateway-error.ts'
import { LimitPassed } from './within-limit.ts'

/** What each kind of failure of the store means, as the end of a sentence that is safe to show a client. */
const meanings = {
  away: 'Redis cannot be reached',
  timed_out: 'Redis did not answer in time',
  unheard: 'what Redis publishes does not arrive',
  read_only: 'this Redis is a read-only replica',
  out_of_memory: 'Redis is out of memory',
  loading: 'Redis is loading its data',
  busy: 'Redis is busy with a script',
  bad_credentials: 'Redis refuses user or password',
  no_permission: 'the user of Redis lacks a permission',
  cluster_down: 'this part of the Redis Cluster is down',
  not_durable: 'Redis takes no writes because it cannot save or replicate them',
  too_many_clients: 'Redis has too many clients',
  rejected: 'Redis rejected the command',
  unexpected_reply: 'Redis gave an answer that makes no sense',
} as const

/** A kind of failure of the store, a word for labels and logs. */
export type StoreFailure = keyof typeof meanings

/** First words of Redis' error replies. */
const kindOfReply: Readonly<Record<string, StoreFailure>> = {
  READONLY: 'read_only',
  MASTERDOWN: 'read_only',
  OOM: 'out_of_memory',
  LOADING: 'loading',
  BUSY: 'busy',
  NOAUTH: 'bad_credentials',
  WRONGPASS: 'bad_credentials',
  NOPERM: 'no_permission',
  CLUSTERDOWN: 'cluster_down',
  TRYAGAIN: 'cluster_down',
  MOVED: 'cluster_down',
  ASK: 'cluster_down',
  MISCONF: 'not_durable',
  NOREPLICAS: 'not_durable',
}

/** Where errors of ioredis and of the platform keep further ones. */
const links = ['lastNodeError', 'previousErrors', 'errors', 'cause'] as const
const mostDepth = 8

/** A reply that the script or command cannot have given. */
export class UnexpectedReply extends Error {}

/** A message that was published and did not come back. */
export class Unheard extends Error {}

/** Names the kind of a failure, from whatever was thrown. */
export function storeFailureOf(error: unknown): StoreFailure {
  if (error instanceof GatewayError) return knownKind(error.details['failure']) ?? 'rejected'
  if (error instanceof LimitPassed) return 'timed_out'
  if (error instanceof Unheard) return 'unheard'
  if (error instanceof UnexpectedReply) return 'unexpected_reply'
  if (!(error instanceof Error)) return 'away'
  const { name, message } = nodeErrorOf(error) ?? error
  return name === 'ReplyError' ? kindOfErrorReply(message) : kindOfClientError(message)
}

/**
 * Makes the error that callers of the store get.
 * @param operation name of the command or script
 * @param error what was thrown; becomes the cause
 */
export function storeUnavailable(operation: string, error: unknown): GatewayError {
  const failure = storeFailureOf(error)
  const cause = withoutArguments(error)
  return new GatewayError('lease_store_unavailable', `${operation}: ${meanings[failure]}`, {
    cause,
    details: { operation, failure },
  })
}

/**
 * Removes the arguments of commands, which ioredis puts into its errors, from an error and all errors that hang on it: those of a
 * log-in are user and password. What hangs deeper than a few errors is cut off.
 *
 * @returns the same error
 */
export function withoutArguments(error: unknown): unknown {
  clear(error, { depth: 0, seen: new Set() })
  return error
}

function clear(value: unknown, { depth, seen }: { readonly depth: number; readonly seen: Set<unknown> }): void {
  if (!(value instanceof Error) || seen.has(value)) return
  seen.add(value)
  Reflect.deleteProperty(value, 'command')
  for (const link of links) {
    if (depth === mostDepth) Reflect.deleteProperty(value, link)
    const further: unknown = Reflect.get(value, link)
    for (const one of Array.isArray(further) ? further : [further]) clear(one, { depth: depth + 1, seen })
  }
}

/** What a Cluster whose nodes have all failed says of the last one. */
function nodeErrorOf(error: Error): Error | undefined {
  return 'lastNodeError' in error && error.lastNodeError instanceof Error ? error.lastNodeError : undefined
}

function kindOfErrorReply(message: string): StoreFailure {
  const kind = kindOfReply[message.slice(0, Math.max(0, message.indexOf(' ')))]
  if (kind !== undefined) return kind
  if (message.includes('max number of clients')) return 'too_many_clients'
  // What Redis 7.0 says of a permission that is missing inside a script.
  return message.startsWith("ERR The user executing the script can't") ? 'no_permission' : 'rejected'
}

/** Failures that the client itself finds. */
function kindOfClientError(message: string): StoreFailure {
  return message.startsWith('Too many Cluster redirections') ? 'cluster_down' : 'away'
}

function knownKind(value: unknown): StoreFailure | undefined {
  return Object.keys(meanings).find((kind): kind is StoreFailure => kind === value)
}
