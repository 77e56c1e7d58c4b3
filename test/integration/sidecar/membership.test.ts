import { createServer } from 'node:net'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { afterEach, describe, expect, it } from 'vitest'
import type { InstancePhase } from '../../../core/instances/instance-record.ts'
import { instanceSecret } from '../../../core/instances/instance-secret.ts'
import { SystemClock } from '../../../core/time/system-clock.ts'
import { Membership, type MembershipDeps } from '../../../sidecar/membership/membership.ts'
import { eventually, pause } from '../../support/eventually.ts'
import { FakeLogger } from '../../support/fake-logger.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { type Answering, ReportGateway, silence, status, taken } from '../../support/report-gateway.ts'
import { testCertificate, testKey } from '../../support/test-certificate.ts'

guardAgainstLeaks()

const facts = {
  id: 'one',
  name: 'env',
  namespace: 'openfaas-fn',
  address: '10.0.0.7',
  port: 8080,
  adminPort: 8082,
  secure: false,
  limit: 1,
}
const load = { inFlight: 0, queued: 0, streams: 0, idleForMs: 5 }

/** How many times faster than they say waits of the instance are over. */
const haste = 5

/** Nobody wants to wait for time-outs. */
class HastyClock extends SystemClock {
  override after(delayMs: number, callback: () => void): Disposable {
    return super.after(delayMs / haste, callback)
  }

  override sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return super.sleep(delayMs / haste, signal)
  }
}

/** An instance whose phase a test sets. */
class Instance implements AsyncDisposable {
  readonly log = new FakeLogger()
  phase: InstancePhase = 'starting'
  readonly membership: Membership

  constructor(gateways: readonly URL[], more: Partial<MembershipDeps> = {}) {
    this.membership = new Membership({
      clock: new HastyClock(),
      random: () => 0.5,
      log: this.log,
      gateways,
      secret: instanceSecret('the shared key', facts),
      facts,
      view: () => ({ phase: this.phase, load }),
      ...more,
    })
    this.membership.start()
  }

  become(phase: InstancePhase): void {
    this.phase = phase
    this.membership.changed()
  }

  /** @returns how long it took, in milliseconds */
  async leave(deadline = new AbortController().signal): Promise<number> {
    const startMs = performance.now()
    await this.membership.leave(deadline)
    return performance.now() - startMs
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.membership[Symbol.asyncDispose]()
  }
}

/** A port of loopback where nobody listens. */
async function deadUrl(): Promise<URL> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return new URL(`http://127.0.0.1:${port}`)
}

async function phasesReach(gateway: ReportGateway, phase: string, withinMs?: number): Promise<void> {
  await eventually(`a report of "${phase}"`, () => gateway.phases.includes(phase), withinMs)
}

const cleanups: (() => void)[] = []
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup()
})

describe('Membership', () => {
  it('reports at once, each change at once, and a heartbeat in between', async () => {
    await using gateway = await ReportGateway.start({ answer: taken(600 * haste) })
    await using instance = new Instance([new URL('/base/', gateway.url)])

    await phasesReach(gateway, 'starting')
    instance.become('ready')
    await phasesReach(gateway, 'ready', 500)
    await eventually('two heartbeats', () => gateway.reports.length >= 4)

    const [first, second, third, fourth] = gateway.reports
    expect(first).toMatchObject({
      path: '/base/pilotlight/instances',
      host: gateway.url.host,
      record: { ...facts, phase: 'starting' },
      load,
    })
    expect(second?.record.revision).toBeGreaterThan(first?.record.revision ?? Infinity)
    expect(third?.record).toEqual(second?.record)
    expect((fourth?.atMs ?? 0) - (third?.atMs ?? 0)).toBeLessThanOrEqual(600 / 3 + 100)
    expect(gateway.connections).toBe(1)
  })

  it('says nothing new when nothing has changed', async () => {
    await using gateway = await ReportGateway.start()
    await using instance = new Instance([gateway.url])
    await phasesReach(gateway, 'starting')

    for (let again = 0; again < 100; again += 1) instance.become('starting')
    instance.become('ready')
    await phasesReach(gateway, 'ready')

    expect(gateway.phases).toEqual(['starting', 'ready'])
  })

  it('tells only the latest of what happens while a report is under way', async () => {
    let answerFirst = (): void => undefined
    await using gateway = await ReportGateway.start({
      answer: (response, report) => {
        if (report.record.phase === 'starting') answerFirst = () => taken(10_000)(response, report)
        else taken(10_000)(response, report)
      },
    })
    await using instance = new Instance([gateway.url])
    await phasesReach(gateway, 'starting')

    instance.become('ready')
    instance.become('unready')
    answerFirst()
    await phasesReach(gateway, 'unready')

    expect(gateway.phases).toEqual(['starting', 'unready'])
  })

  const faults: Record<string, Answering> = {
    hangs: silence,
    'answers 500': status(500),
    'answers with garbage': (response) => void response.socket?.end('\u0000\u0001garbage\r\n\r\n'),
    'answers with a page of something else': status(200, '<html>'),
    'drips its answer': (response) => {
      response.writeHead(200)
      const timer = setInterval(() => response.write(' '), 5)
      cleanups.push(() => clearInterval(timer))
    },
    'answers without end': (response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536)));
        if (!response.destroyed) response.once('drain', more)
      }
      more()
    },
    'answers without end of its head': (response) => {
      const { socket } = response
      socket?.write('HTTP/1.1 200 OK\r\n')
      const timer = setInterval(() => socket?.write(`x-more: ${'y'.repeat(4_000)}\r\n`), 1)
      cleanups.push(() => clearInterval(timer))
    },
    'breaks off inside its answer': (response) => {
      response.writeHead(200, { 'content-length': 100 }).write('{')
      setImmediate(() => response.destroy())
    },
    'asks to go elsewhere': (response) => void response.writeHead(302, { location: '/elsewhere' }).end(),
    'remembers for no time at all': taken(0),
  }

  describe.each(Object.entries(faults))('beside a gateway that %s', (_, answer) => {
    it('keeps the others informed, and is bounded when it leaves', async () => {
      await using bad = await ReportGateway.start({ answer })
      await using good = await ReportGateway.start({ answer: taken(300) })
      await using instance = new Instance([bad.url, good.url])
      await phasesReach(good, 'starting', 400)
      await phasesReach(bad, 'starting')

      instance.become('ready')
      await phasesReach(good, 'ready')
      await phasesReach(bad, 'ready')

      expect(await instance.leave()).toBeLessThan(2_000 / haste + 500)
      expect(good.phases.at(-1)).toBe('leaving')
      expect(bad.phases.at(-1)).toBe('leaving')
      expect(instance.log.lines.at(-1)?.fields).toMatchObject({ told: 1, untold: 1 })
    })
  })

  it('is not held up by a gateway that is dead', async () => {
    await using good = await ReportGateway.start()
    await using instance = new Instance([await deadUrl(), good.url], { clock: new SystemClock() })
    await phasesReach(good, 'starting')

    expect(await instance.leave()).toBeLessThan(1_500)
    expect(good.phases.at(-1)).toBe('leaving')
  })

  it('tells a gateway that starts late or again within a heartbeat', async () => {
    const first = await ReportGateway.start({ answer: taken(900 * haste) })
    const { port } = first
    await using instance = new Instance([first.url])
    await phasesReach(first, 'starting')
    await first[Symbol.asyncDispose]()
    await pause(700)

    await using second = await ReportGateway.start({ answer: taken(900 * haste), port })
    await phasesReach(second, 'starting', 500)

    expect(instance.log.messages('warn')).toEqual([expect.stringContaining('ECONNREFUSED')])
    await eventually('the good news', () => instance.log.messages('info').length === 1)
  })

  it('says once what is wrong with its key, and goes on', async () => {
    await using gateway = await ReportGateway.start({ answer: status(401) })
    await using instance = new Instance([gateway.url])
    await eventually('three reports', () => gateway.reports.length >= 3)

    expect(instance.log.messages('warn')).toEqual([expect.stringContaining('PILOTLIGHT_INSTANCE_KEY_FILE')])
    gateway.answer = taken(600)
    await eventually('the good news', () => instance.log.messages('info').length === 1)
  })

  it('reports its departure with a larger revision, what the fleet says of it, and nothing afterwards', async () => {
    await using gateway = await ReportGateway.start({ answer: taken(150, { acknowledged: 2, silent: 1 }) })
    await using instance = new Instance([gateway.url])
    instance.become('ready')
    await phasesReach(gateway, 'ready')

    await instance.leave()
    await instance.leave()
    const { length } = gateway.reports
    instance.become('unready')
    await pause(300)

    expect(gateway.reports).toHaveLength(length)
    const [before, last] = gateway.reports.slice(-2)
    expect(last?.record.revision).toBeGreaterThan(before?.record.revision ?? Infinity)
    expect(gateway.phases.filter((phase) => phase === 'leaving')).toHaveLength(1)
    expect(instance.log.lines.at(-1)?.fields).toEqual({ told: 1, untold: 0, othersTold: 2, othersSilent: 1 })
  })

  it('reports its departure again to a gateway that stumbles', async () => {
    await using gateway = await ReportGateway.start()
    await using instance = new Instance([gateway.url])
    await phasesReach(gateway, 'starting')
    gateway.answer = (response, report) => {
      gateway.answer = taken(10_000)
      status(500)(response, report)
    }

    await instance.leave()

    expect(gateway.phases).toEqual(['starting', 'leaving', 'leaving'])
    expect(instance.log.lines.at(-1)?.fields).toMatchObject({ told: 1, untold: 0 })
  })

  it('leaves no later than its deadline', async () => {
    await using gateway = await ReportGateway.start({ answer: silence })
    await using instance = new Instance([gateway.url], { clock: new SystemClock() })
    await phasesReach(gateway, 'starting')

    expect(await instance.leave(AbortSignal.timeout(100))).toBeLessThan(1_000)
    expect(instance.log.messages('warn')).toEqual([expect.stringContaining('no gateway has taken the departure')])
  })

  it('survives that its kept connection was closed', async () => {
    await using gateway = await ReportGateway.start()
    await using instance = new Instance([gateway.url])
    await phasesReach(gateway, 'starting')
    gateway.answer = (response, report) => taken(10_000)(response.setHeader('connection', 'close'), report)

    instance.become('ready')
    await phasesReach(gateway, 'ready')
    instance.become('unready')
    await phasesReach(gateway, 'unready', 500)

    expect(instance.log.lines).toEqual([])
  })

  it('says once that nobody is told when there is no gateway', async () => {
    await using instance = new Instance([])

    instance.become('ready')
    await instance.leave()

    expect(instance.log.messages('info')).toEqual([expect.stringContaining('PILOTLIGHT_GATEWAYS')])
  })
})

describe('a gateway whose name has several addresses', () => {
  it('is told at each of them, under its name', async () => {
    await using one = await ReportGateway.start({ host: '127.0.0.2' })
    await using other = await ReportGateway.start({ host: '127.0.0.3', port: one.port })
    const name = `gateways.invalid:${one.port}`
    await using instance = new Instance([new URL(`http://${name}`)], { lookup: async () => ['127.0.0.3', '127.0.0.2'] })

    instance.become('ready')
    await Promise.all([phasesReach(one, 'ready'), phasesReach(other, 'ready')])
    await instance.leave()

    expect([one.phases.at(-1), other.phases.at(-1)]).toEqual(['leaving', 'leaving'])
    expect([...one.reports, ...other.reports].every(({ host }) => host === name)).toBe(true)
    expect(instance.log.lines.at(-1)?.fields).toMatchObject({ told: 2, untold: 0 })
  })

  it('is told at a new address, and at an old one until that is gone', async () => {
    const one = await ReportGateway.start({ host: '127.0.0.2', answer: taken(300) })
    await using other = await ReportGateway.start({ host: '127.0.0.3', port: one.port, answer: taken(300) })
    let found = ['127.0.0.2']
    await using instance = new Instance([new URL(`http://gateways.invalid:${one.port}`)], { lookup: async () => found })
    await phasesReach(one, 'starting')

    found = ['127.0.0.3']
    await phasesReach(other, 'starting')
    const { length } = one.reports
    await eventually('a heartbeat at the old address', () => one.reports.length > length)
    await one[Symbol.asyncDispose]()
    await pause(300)
    await instance.leave()

    expect(instance.log.messages('warn')).toEqual([])
    expect(instance.log.lines.at(-1)?.fields).toMatchObject({ told: 1, untold: 0 })
  })

  it('is looked up until it is found, and stays known when it is found no more', async () => {
    await using gateway = await ReportGateway.start({ answer: taken(300) })
    let lookups = 0
    const lookup = async (): Promise<readonly string[]> => {
      lookups += 1
      if (lookups === 3) return ['127.0.0.1']
      throw new Error('getaddrinfo EAI_AGAIN gateways.invalid')
    }
    await using instance = new Instance([new URL(`http://gateways.invalid:${gateway.port}`)], { lookup })

    await phasesReach(gateway, 'starting')
    await eventually('another look-up', () => lookups > 3)
    await eventually('a heartbeat', () => gateway.reports.length > 2)

    expect(instance.log.messages('warn')).toEqual([expect.stringContaining('EAI_AGAIN')])
  })

  it('does not hold up the departure while its name is being looked up', async () => {
    await using good = await ReportGateway.start()
    await using instance = new Instance([new URL('http://gateways.invalid'), good.url], {
      lookup: () => new Promise(() => undefined),
      clock: new SystemClock(),
    })
    await phasesReach(good, 'starting')

    expect(await instance.leave()).toBeLessThan(1_000)
    expect(good.phases.at(-1)).toBe('leaving')
  })

  it('is asked for a certificate of its name, not of its address', async () => {
    const before = getCACertificates()
    setDefaultCACertificates([...before, testCertificate])
    cleanups.push(() => setDefaultCACertificates(before))
    await using gateway = await ReportGateway.start({ tls: { cert: testCertificate, key: testKey } })
    const lookup = async (): Promise<readonly string[]> => ['127.0.0.1']
    await using named = new Instance([new URL(`https://provider.invalid:${gateway.port}`)], { lookup })
    await using other = new Instance([new URL(`https://gateways.invalid:${gateway.port}`)], { lookup })

    await phasesReach(gateway, 'starting')
    await eventually('a complaint', () => other.log.messages('warn').length > 0)

    expect(other.log.messages('warn')).toEqual([expect.stringContaining('gateways.invalid')])
    expect(named.log.lines).toEqual([])
    expect(gateway.reports.every(({ host }) => host.startsWith('provider.invalid'))).toBe(true)
  })

  it('is found by the name service of the machine', async () => {
    await using gateway = await ReportGateway.start()
    await using instance = new Instance([new URL(`http://localhost:${gateway.port}`)])

    await phasesReach(gateway, 'starting')
    expect(instance.log.messages('warn')).toEqual([])
  })
})
