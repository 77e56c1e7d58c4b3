import { describe, expect, it } from 'vitest'
import { parseRedisUrl } from '../../../core/redis/redis-url.ts'

const plain = { credentials: undefined, tls: undefined }
const noFiles = { caFile: undefined, certFile: undefined, keyFile: undefined, servername: undefined }

describe('parseRedisUrl', () => {
  it.each([
    ['redis://redis', { address: { host: 'redis', port: 6379 }, database: 0 }],
    ['redis://redis/', { address: { host: 'redis', port: 6379 }, database: 0 }],
    ['redis://10.0.0.1:7000/15', { address: { host: '10.0.0.1', port: 7000 }, database: 15 }],
    ['redis://[fd00::1]', { address: { host: 'fd00::1', port: 6379 }, database: 0 }],
    ['redis://[::1]:7000/2', { address: { host: '::1', port: 7000 }, database: 2 }],
    ['redis://redis_1.my-net:6379?', { address: { host: 'redis_1.my-net', port: 6379 }, database: 0 }],
  ])('reads %s as one server', (url, expected) => {
    expect(parseRedisUrl(url)).toEqual({ topology: { kind: 'standalone', ...plain, ...expected } })
  })

  it.each([
    ['redis://:secret@redis', '', 'secret'],
    ['redis://user:secret@redis', 'user', 'secret'],
    ['redis://user:p%40ss%2Fword%3F%23%25@redis', 'user', 'p@ss/word?#%'],
    ['redis://user:a:b@redis', 'user', 'a:b'],
    ['redis://us%3Aer:p+w@redis', 'us:er', 'p+w'],
    ['redis://user:p@ss@redis', 'user', 'p@ss'],
  ])('reads the credentials of %s', (url, username, password) => {
    expect(parseRedisUrl(url).topology).toMatchObject({ credentials: { username, password } })
  })

  it('reads the Sentinels of a primary, with credentials of their own', () => {
    const url = 'redis+sentinel://u:p@s1:26380,s2,[::1]/my-primary/3?sentinel_username=su&sentinel_password=s%26p+q'

    expect(parseRedisUrl(url).topology).toEqual({
      kind: 'sentinel',
      sentinels: [
        { host: 's1', port: 26_380 },
        { host: 's2', port: 26_379 },
        { host: '::1', port: 26_379 },
      ],
      primaryName: 'my-primary',
      database: 3,
      credentials: { username: 'u', password: 'p' },
      sentinelCredentials: { username: 'su', password: 's&p+q' },
      tls: undefined,
    })
  })

  it.each(['redis+sentinel://s/main', 'redis+sentinel://s/main/'])(
    'reads %s without credentials and database',
    (url) => {
      expect(parseRedisUrl(url).topology).toMatchObject({
        ...{ primaryName: 'main', database: 0, credentials: undefined, sentinelCredentials: undefined },
      })
    },
  )

  it.each(['redis+cluster://a:7000,b,[fd00::1]:7001', 'redis+cluster://a:7000,b,[fd00::1]:7001/0'])(
    'reads %s as nodes of a Cluster',
    (url) => {
      const nodes = [
        { host: 'a', port: 7000 },
        { host: 'b', port: 6379 },
        { host: 'fd00::1', port: 7001 },
      ]

      expect(parseRedisUrl(url)).toEqual({ topology: { kind: 'cluster', nodes, ...plain } })
    },
  )

  it.each([
    ['rediss://r', noFiles],
    ['rediss+cluster://r', noFiles],
    ['rediss+sentinel://r/main?tls_ca=/etc/ca.pem', { ...noFiles, caFile: '/etc/ca.pem' }],
    [
      'rediss://r?tls_ca=/a%40b&tls_cert=/c&tls_key=/k&tls_servername=redis.internal',
      { caFile: '/a@b', certFile: '/c', keyFile: '/k', servername: 'redis.internal' },
    ],
  ])('reads the TLS of %s', (url, tls) => {
    expect(parseRedisUrl(url).topology?.tls).toEqual(tls)
  })

  it.each([
    ['no URL', 'localhost:6379', /^expected a Redis URL: redis:\/\//],
    ['another scheme', 'http://redis', /^expected a Redis URL/],
    ['capital letters', 'REDIS://redis', /^expected a Redis URL/],
    ['a space', 'redis://:se cret@redis', /^expected a Redis URL/],
    ['a fragment', 'redis://redis#x', /^expected a Redis URL/],
    ['no host', 'redis://', /^a host is missing/],
    ['no host but a port', 'redis://:6379', /^a host is missing/],
    ['no host after a comma', 'redis+cluster://a,', /^a host is missing/],
    ['an IPv6 address without brackets', 'redis://fd00::1', /^a port is not .*an IPv6 address needs brackets/],
    ['brackets around what is no IPv6 address', 'redis://[10.0.0.1]', /^a host is missing/],
    ['a port that is no number', 'redis://redis:six', /^a port is not a number/],
    ['an empty port', 'redis://redis:', /^a port is not a number/],
    ['port 0', 'redis://redis:0', /^a port is not a number from 1 to 65535/],
    ['a port too large', 'redis://redis:65536', /^a port is not a number/],
    ['a database that is no number', 'redis://redis/main', /^the database is not a number$/],
    ['a negative database', 'redis://redis/-1', /^the database is not a number$/],
    ['a path behind the database', 'redis://redis/1/2', /^the database is not a number$/],
    ['a database of a Cluster', 'redis+cluster://a/1', /^a Cluster has database 0 only/],
    ['several servers that are no Cluster', 'redis://a,b', /^several hosts need redis\+sentinel/],
    ['Sentinels without a name', 'redis+sentinel://a,b', /^expected the name of the primary/],
    ['Sentinels with a name that cannot be', 'redis+sentinel://a/%20', /^expected the name of the primary/],
    ['Sentinels with too long a path', 'redis+sentinel://a/main/0/1', /^expected the name of the primary/],
    ['a user without a password', 'redis://user@redis', /^a user without a password/],
    ['an empty password', 'redis://user:@redis', /^a user without a password/],
    ['a password that is not encoded', 'redis://:100%@redis', /not percent-encoded/],
    ['a slash in the password', 'redis://:se/cret@redis', /^user and password must be percent-encoded: \/ as %2F/],
    ['a question mark in the password', 'redis://:1?cret@redis', /^user and password must be percent-encoded/],
    ['a hash in the password', 'redis://:se#cret@redis', /^expected a Redis URL/],
    ['an unknown parameter', 'redis://redis?secret=1', /^unknown parameter in the query; known are tls_ca, /],
    ['a parameter to switch checks off', 'rediss://redis?tls_insecure=true', /^unknown parameter/],
    ['a parameter given twice', 'rediss://redis?tls_ca=/a&tls_ca=/b', /^a parameter of the query is given twice$/],
    ['an empty parameter', 'rediss://redis?tls_ca=', /^tls_ca is empty$/],
    ['certificates without TLS', 'redis://redis?tls_ca=/a', /^tls_ca needs TLS: use rediss/],
    ['a relative path', 'rediss://redis?tls_ca=ca.pem', /^tls_ca must be an absolute path$/],
    ['a certificate without key', 'rediss://redis?tls_cert=/a', /^tls_cert and tls_key need each other$/],
    [
      'a password of Sentinels without Sentinels',
      'redis://r?sentinel_password=x',
      /^sentinel_password needs redis\+sent/,
    ],
    ['a user of Sentinels alone', 'redis+sentinel://s/m?sentinel_username=x', /^sentinel_username needs sentinel_pass/],
  ])('refuses %s', (_, url, fault) => {
    const parsed = parseRedisUrl(url)

    expect(parsed.fault).toMatch(fault)
    expect(parsed.fault).not.toMatch(/cret|100/)
  })

  it('never throws', () => {
    for (const text of [
      'redis://%',
      'redis://[',
      'redis://]',
      'redis://,',
      'redis+sentinel:///',
      'redis://@',
      'redis://?&=',
    ]) {
      expect(parseRedisUrl(text).fault).toEqual(expect.any(String))
    }
  })
})
