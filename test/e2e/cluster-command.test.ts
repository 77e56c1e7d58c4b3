import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { dirname } from 'node:path'
import { describe, expect, it } from 'vitest'
import { MissingPrograms } from '../../deploy/cluster/find-program.ts'
import { call } from '../support/callers.ts'
import { allGone, clusterEntry, ClusterCommand } from '../support/cluster-command.ts'
import { eventually } from '../support/eventually.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'
import { runNode } from '../support/run-process.ts'

describe('npm run cluster', () => {
  guardAgainstLeaks()

  it('runs gateways, provider, Redis and balancer, says where, and stops them all on Ctrl-C', async () => {
    await using cluster = await ClusterCommand.start('--verbose')
    const url = cluster.address(String.raw`balancer \(haproxy\)`)
    const gateways = ['gateway-1', 'gateway-2', 'gateway-3'].map((name) => cluster.address(name))
    const logs = cluster.address('logs')

    const woken = await call(`${url}/function/hello`)
    const others = await Promise.all(gateways.map((gateway) => call(`${gateway}/function/hello`)))
    const running = cluster.descendants()
    const logFiles = readdirSync(logs)
    cluster.signal('SIGINT')

    expect([woken.status, woken.body]).toEqual([200, 'Hello, world!\n'])
    expect(others.map(({ status }) => status)).toEqual([200, 200, 200])
    expect([...running.values()].join('\n')).toMatch(/redis-server[^]*pilotlight\.js sidecar [^]*hello\.js/)
    expect(running.size).toBe(8)
    expect(logFiles.toSorted()).toEqual(
      ['gateway-1', 'gateway-2', 'gateway-3', 'haproxy', 'provider', 'redis'].map((name) => `${name}.log`),
    )
    expect(cluster.output).toMatch(/^gateway-2 \| .*gateway listening/m)
    expect(await cluster.exited).toBe(0)
    await allGone(running)
    expect(existsSync(dirname(logs))).toBe(false)
    expect(cluster.output).toMatch(/stopping: the balancer, then the gateways, the provider, Redis[^]*stopped\n$/)
  })

  it('leaves nothing running when it is killed by force, functions included', async () => {
    await using cluster = await ClusterCommand.start('--gateways=2')
    expect((await call(`${cluster.address('gateway-1')}/function/hello`)).status).toBe(200)
    const running = cluster.descendants()

    cluster.signal('SIGKILL')

    expect(running.size).toBe(7)
    await allGone(running)
  })

  it('ends everything at once on a second Ctrl-C', async () => {
    await using cluster = await ClusterCommand.start('--gateways=2')
    const hanging = call(`${cluster.address('gateway-1')}/function/slow-start`)
    const running = cluster.descendants()

    cluster.signal('SIGINT')
    await eventually('it to begin', () => cluster.output.includes('stopping:'))
    await new Promise((resolve) => setTimeout(resolve, 350)) // so late that it counts as another one
    cluster.signal('SIGINT')

    expect(await cluster.exited).toBe(1)
    await hanging
    await allGone(running)
  })

  it('reports a gateway that died and goes on; without its provider it ends with exit code 1', async () => {
    await using cluster = await ClusterCommand.start()
    const url = cluster.address(String.raw`balancer \(haproxy\)`)
    const running = cluster.descendants()

    process.kill(cluster.pidOf('gateway-1'), 'SIGKILL')
    await eventually('the report', () => cluster.output.includes('gateway-1 ended by itself (signal SIGKILL)'))
    expect((await call(`${url}/function/hello`)).status).toBe(200)
    const [provider = 0] = [...running].find(([, command]) => command.includes('local-provider.ts')) ?? []
    process.kill(provider, 'SIGKILL')

    expect(await cluster.exited).toBe(1)
    expect(cluster.output).toMatch(
      /gateway-1 ended by itself .*; its last lines:\n(?: {2}.*\n)* {2}.*gateway listening/,
    )
    expect(cluster.output).toContain('the cluster ends: the provider ended (signal SIGKILL); logs: /')
    await allGone(running)
  })

  it('asks for the password that it prints and shows it to no other user; passes variables on to gateways', async () => {
    await using cluster = await ClusterCommand.start('--gateways=1', '--basic-auth', '--no-redis')
    const functions = `${cluster.address('gateway-1')}/system/functions`
    const account = /curl -u (\S+) /.exec(cluster.output)?.[1] ?? ''
    const headers = { authorization: `Basic ${Buffer.from(account).toString('base64')}` }

    expect((await call(functions)).status).toBe(401)
    expect((await call(`${cluster.address('provider')}/system/functions`)).status).toBe(401)
    expect((await call(functions, { headers })).status).toBe(200)
    expect((await call(`${cluster.address('gateway-1')}/function/upper`, { method: 'POST', body: 'x' })).body).toBe('X')
    expect(cluster.output).toContain('none: each gateway wakes functions by itself')
    const variables = readFileSync(`/proc/${cluster.pidOf('gateway-1')}/environ`, 'latin1').split('\0')
    expect(variables).toEqual(expect.arrayContaining(['PILOTLIGHT_HOLD_TIMEOUT=55s', 'PILOTLIGHT_REDIS_URL=']))
    for (const pid of cluster.descendants().keys())
      expect(readFileSync(`/proc/${pid}/cmdline`, 'latin1')).not.toContain(account.split(':')[1])
  })

  it('stops at once, with exit code 0, when it is told to while it starts', async () => {
    await using cluster = ClusterCommand.begin()
    const running = await eventually(
      'the first programs',
      () => cluster.descendants().size > 1 && cluster.descendants(),
    )

    cluster.signal('SIGTERM')

    expect(await cluster.exited).toBe(0)
    await allGone(running)
  })
})

describe('npm run cluster, wrongly used,', () => {
  it('prints help with exit code 0 and faults with exit code 2', async () => {
    const help = await runNode([clusterEntry, '--help'])
    const wrong = await runNode([clusterEntry, '--gateways=0'])

    expect([help.code, wrong.code]).toEqual([0, 2])
    expect(help.stdout).toContain('--gateways <number>')
    expect(wrong.stderr).toBe('--gateways: expected a whole number from 1 to 32, got "0"\n')
  })

  it('names the packages that are missing, and starts nothing', async () => {
    const { code, stdout, stderr } = await runNode([clusterEntry, '--port=0'], { env: { PATH: '/nowhere' } })

    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toBe(
      'the cluster needs redis-server: install the Debian packages with "apt-get install redis-server"\n',
    )
    expect(new MissingPrograms(['redis-server', 'haproxy']).message).toContain('apt-get install redis-server haproxy"')
  })

  it('says which port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo // a TCP server's address is always of this type

    const { code, stderr } = await runNode([clusterEntry, `--port=${port}`], {
      env: { PATH: process.env['PATH'] ?? '' },
    })
    await new Promise((resolve) => other.close(resolve))

    expect(code).toBe(1)
    expect(stderr).toBe(`port ${port} is taken: name another one, or 0 for any free one\n`)
  })
})
