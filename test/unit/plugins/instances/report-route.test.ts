import { describe, expect, it } from 'vitest'
import {
  AddressRules,
  GatewayError,
  outdated,
  reportsPath,
  signReport,
  SystemRouter,
  type InstanceRecord,
  type InstanceReport,
} from '#core'
import { LocalInstances } from '../../../../core/instances/local-instances.ts'
import { rescue } from '../../../../core/http/rescue.ts'
import { Metrics } from '../../../../core/telemetry/metrics.ts'
import { InstanceMetrics } from '../../../../plugins/instances/instance-metrics.ts'
import { reportRoute } from '../../../../plugins/instances/reports/report-route.ts'
import { FakeClock } from '../../../support/fake-clock.ts'
import { FakeLogger } from '../../../support/fake-logger.ts'
import { someRequest } from '../../http/some-request.ts'

const key = 'a key that everybody here knows'

/** The route of one gateway, and what its registry was given. */
class Intake {
  readonly clock = new FakeClock()
  readonly log = new FakeLogger()
  readonly taken: InstanceReport[] = []
  failure: GatewayError | undefined
  readonly #page = new Metrics(this)
  readonly #router: SystemRouter

  constructor({ defaultNamespace = '', isKeyRandom = false, needsTls = false } = {}) {
    const { clock, log } = this
    const metrics = new InstanceMetrics(this.#page.meter, new LocalInstances({ clock, log }), () => 0)
    const take = async (report: InstanceReport) => {
      if (this.failure !== undefined) throw this.failure
      this.taken.push(report)
      return { ttlMs: 10_000, acknowledged: 2, silent: 1, internal: 'not for others' }
    }
    const rules = { networks: new AddressRules(['10.0.0.0/8', '127.0.0.0/8']), needsTls }
    const shared = { registry: { take }, clock, metrics, rules, key, isKeyRandom, defaultNamespace }
    this.#router = new SystemRouter([reportRoute({ ...shared, maxReportBytes: 2_000 })], [])
  }

  report(changed: Partial<InstanceRecord> = {}, sentAtMs = this.clock.nowMs()): InstanceReport {
    const record: InstanceRecord = {
      id: 'i-1',
      name: 'echo',
      namespace: 'fn',
      address: '10.1.2.3',
      port: 8080,
      adminPort: 0,
      secure: false,
      limit: 0,
      phase: 'ready',
      revision: 1,
      ...changed,
    }
    return { record, load: { inFlight: 0, queued: 0, streams: 0, idleForMs: 5 }, sentAtMs }
  }

  async post(text: string, method = 'POST') {
    const client = someRequest({ method, target: reportsPath, headers: { 'Transfer-Encoding': 'chunked' } })
    client.send(text)
    client.end()
    const reply = await this.#router.handle(client.request).catch(rescue)
    const body = Buffer.from(await reply.bytes(10_000)).toString()
    return { status: reply.status, body }
  }

  send(changed: Partial<InstanceRecord> = {}) {
    return this.post(signReport(this.report(changed), key))
  }

  /** The outcomes that were counted, once each. */
  async counted(): Promise<readonly string[]> {
    const page = Buffer.concat([...(await this.#page.page())]).toString()
    return [...page.matchAll(/pilotlight_instance_reports_total\{outcome="(\w+)"\} 1$/gm)].map(([, name = '']) => name)
  }
}

describe('the route of reports', () => {
  it('hands a signed report over and answers with what became of it', async () => {
    const intake = new Intake()

    const { status, body } = await intake.send()

    expect([status, JSON.parse(body)]).toEqual([200, { ttlMs: 10_000, acknowledged: 2, silent: 1 }])
    expect(intake.taken).toEqual([intake.report()])
    expect(await intake.counted()).toEqual(['accepted'])
  })

  it.each([
    ['', 'echo', '', 'echo', ''],
    ['openfaas-fn', 'echo', '', 'echo', 'openfaas-fn'],
    ['openfaas-fn', 'echo', 'other', 'echo', 'other'],
    ['openfaas-fn', 'echo.other', '', 'echo', 'other'],
    ['', 'echo.other', '', 'echo', 'other'],
    ['', 'v1.echo', 'other', 'v1.echo', 'other'],
  ])('with the default namespace %j, takes name %j and namespace %j for %j in %j, as calls do', async (...example) => {
    const [defaultNamespace, name, namespace, wantedName, wantedNamespace] = example
    const intake = new Intake({ defaultNamespace })

    await intake.send({ name, namespace })

    expect(intake.taken[0]?.record).toMatchObject({ name: wantedName, namespace: wantedNamespace })
  })

  it.each([
    ['of another key', 401, 'unsigned', (intake: Intake) => signReport(intake.report(), 'another key')],
    [
      'that was changed on its way',
      401,
      'unsigned',
      (intake: Intake) => {
        const [version, , signature] = signReport(intake.report(), key).split('.')
        const payload = Buffer.from(JSON.stringify(intake.report({ address: '10.6.6.6' }))).toString('base64url')
        return [version, payload, signature].join('.')
      },
    ],
    [
      'of a foreign address',
      403,
      'foreign',
      (intake: Intake) => signReport(intake.report({ address: '8.8.8.8' }), key),
    ],
    [
      'of an address that is all',
      403,
      'foreign',
      (intake: Intake) => signReport(intake.report({ address: '0.0.0.0' }), key),
    ],
    ['that is none', 400, 'invalid', () => 'hello'],
    ['that is empty', 400, 'invalid', () => ''],
    ['of an unknown version', 400, 'invalid', (intake: Intake) => signReport(intake.report(), key).replace('v1', 'v2')],
    ['with a wrong field', 400, 'invalid', (intake: Intake) => signReport(intake.report({ port: 0 }), key)],
    ['that is too long', 413, 'invalid', () => 'x'.repeat(2_001)],
    [
      'that was too long on its way',
      409,
      'outdated',
      (intake: Intake) => signReport(intake.report({}, intake.clock.nowMs() - 61_000), key),
    ],
    [
      'from the future',
      409,
      'outdated',
      (intake: Intake) => signReport(intake.report({}, intake.clock.nowMs() + 61_000), key),
    ],
  ])('refuses a report %s with %i', async (_, wanted, outcome, text) => {
    const intake = new Intake()

    const { status, body } = await intake.post(text(intake))

    expect(status).toBe(wanted)
    expect(JSON.parse(body)).toMatchObject({ status: wanted, detail: expect.any(String) })
    expect(intake.taken).toEqual([])
    expect(await intake.counted()).toEqual([outcome])
  })

  it.each([
    [outdated('a newer one was there'), 409, 'outdated'],
    [new GatewayError('overloaded', 'too many instances'), 503, 'failed'],
    [new GatewayError('internal', 'the secret reason'), 500, 'failed'],
  ])('answers what the registry says: %s', async (failure, wanted, outcome) => {
    const intake = new Intake()
    intake.failure = failure

    const { status, body } = await intake.send()

    expect(status).toBe(wanted)
    expect(body).not.toContain('secret')
    expect(await intake.counted()).toEqual([outcome])
  })

  it('says that there is no shared key rather than that the key is wrong', async () => {
    const intake = new Intake({ isKeyRandom: true })

    const foreign = await intake.post(signReport(intake.report(), 'the key of a sidecar'))
    const own = await intake.send()

    expect(foreign.status).toBe(503)
    expect(foreign.body).toContain('PILOTLIGHT_INSTANCE_KEY_FILE')
    expect(own.status).toBe(200)
  })

  it('takes no instance where TLS is wanted that does without, except on its own machine', async () => {
    const intake = new Intake({ needsTls: true })

    const plain = await intake.send({ secure: false })
    const others = [await intake.send({ secure: true }), await intake.send({ address: '127.0.0.1', secure: false })]

    expect([plain.status, others.map(({ status }) => status)]).toEqual([403, [200, 200]])
    expect(plain.body).toContain('takes calls without TLS')
    expect(intake.taken).toHaveLength(2)
    expect(await intake.counted()).toContain('foreign')
  })

  it('takes nothing but POST', async () => {
    expect((await new Intake().post('', 'GET')).status).toBe(405)
  })
})
