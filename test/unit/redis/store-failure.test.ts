import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { LimitPassed } from '../../../core/redis/within-limit.ts'
import { storeFailureOf, storeUnavailable, UnexpectedReply, Unheard } from '../../../core/redis/store-failure.ts'

/** As ioredis hands on an error reply. */
function replyError(message: string): Error {
  const error = new Error(message)
  error.name = 'ReplyError'
  return Object.assign(error, { command: { name: 'auth', args: ['user', 'hunter2'] } })
}

/** As ioredis tells that no node of a Cluster could be asked. */
function allFailed(lastNodeError: Error | null): Error {
  return Object.assign(new Error('Failed to refresh slots cache.'), { lastNodeError })
}

describe('storeFailureOf', () => {
  it.each([
    ["READONLY You can't write against a read only replica.", 'read_only'],
    ["MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", 'read_only'],
    ["OOM command not allowed when used memory > 'maxmemory'.", 'out_of_memory'],
    ['LOADING Redis is loading the dataset in memory', 'loading'],
    ['BUSY Redis is busy running a script.', 'busy'],
    ['NOAUTH Authentication required.', 'bad_credentials'],
    ['WRONGPASS invalid username-password pair or user is disabled.', 'bad_credentials'],
    ["NOPERM this user has no permissions to run the 'eval' command", 'no_permission'],
    ["ERR The user executing the script can't run this command or subcommand", 'no_permission'],
    ['CLUSTERDOWN The cluster is down', 'cluster_down'],
    ['TRYAGAIN Multiple keys request during rehashing of slot', 'cluster_down'],
    ['MISCONF Redis is configured to save RDB snapshots', 'not_durable'],
    ['NOREPLICAS Not enough good replicas to write.', 'not_durable'],
    ['ERR max number of clients reached', 'too_many_clients'],
    ['WRONGTYPE Operation against a key holding the wrong kind of value', 'rejected'],
    ['ERR something new', 'rejected'],
    ['', 'rejected'],
  ])('knows the reply %j', (message, kind) => {
    expect(storeFailureOf(replyError(message))).toBe(kind)
  })

  it.each([
    ['a broken connection', new Error('Connection is closed.'), 'away'],
    ['endless redirections', new Error('Too many Cluster redirections. Last error: x'), 'cluster_down'],
    ['a time limit', new LimitPassed(100), 'timed_out'],
    ['a silent subscription', new Unheard(), 'unheard'],
    ['nonsense', new UnexpectedReply(), 'unexpected_reply'],
    ['what is no error', 'oops', 'away'],
    ['a Cluster that refuses credentials', allFailed(replyError('WRONGPASS invalid')), 'bad_credentials'],
    ['a Cluster without permission', allFailed(replyError('NOPERM cluster|slots')), 'no_permission'],
    ['a Cluster that is gone', allFailed(new Error('connect ECONNREFUSED')), 'away'],
    ['a Cluster without a node', allFailed(null), 'away'],
  ])('knows %s', (_, error, kind) => {
    expect(storeFailureOf(error)).toBe(kind)
  })

  it('gives the same word for the error that callers get', () => {
    expect(storeFailureOf(storeUnavailable('probe', new Unheard()))).toBe('unheard')
  })
})

describe('storeUnavailable', () => {
  it('says what failed and how, in words that a client may read', () => {
    const error = storeUnavailable('acquire-lease', new Error('connect ECONNREFUSED 10.0.0.1:6379'))

    expect(error).toMatchObject({
      code: 'lease_store_unavailable',
      status: 503,
      message: 'acquire-lease: Redis cannot be reached',
    })
    expect(error.details).toEqual({ operation: 'acquire-lease', failure: 'away' })
  })

  it('keeps the arguments of a command, which may be a password, out of the cause', () => {
    const { cause } = storeUnavailable('probe', replyError('WRONGPASS invalid username-password pair'))

    expect(cause).toMatchObject({ message: 'WRONGPASS invalid username-password pair' })
    expect(cause).not.toHaveProperty('command')
  })

  it.each([
    ['the last error of a node', (inner: Error) => allFailed(inner)],
    ['a cause of a cause', (inner: Error) => new Error('a', { cause: new Error('b', { cause: inner }) })],
    ['one of many', (inner: Error) => new AggregateError([new Error('other'), inner])],
    ['an earlier one', (inner: Error) => Object.assign(new Error('a'), { previousErrors: [inner] })],
    ['one at the end of a long chain', (inner: Error) => chained(inner, 50)],
  ])('keeps a password out of %s', (_, wrapped) => {
    const error = storeUnavailable('probe', wrapped(replyError('WRONGPASS invalid username-password pair')))

    expect(inspect(error, { depth: 200, showHidden: true })).not.toContain('hunter2')
  })

  it('comes to an end with errors that hang on each other', () => {
    const one = replyError('WRONGPASS one')
    const other = Object.assign(replyError('WRONGPASS other'), { lastNodeError: one })
    one.cause = other

    const { cause } = storeUnavailable('probe', one)

    expect(inspect(cause, { depth: 200, showHidden: true })).not.toContain('hunter2')
  })
})

function chained(inner: Error, length: number): Error {
  let outer = inner
  for (let at = 0; at < length; at += 1) outer = new Error(`${at}`, { cause: outer })
  return outer
}
