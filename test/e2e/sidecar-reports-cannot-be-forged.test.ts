import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { reportsPath, signReport } from '#core'
import { call, callTogether, statuses } from '../support/callers.ts'
import { CapturedReports } from '../support/captured-reports.ts'
import { eventually } from '../support/eventually.ts'
import { FrontedFunction } from '../support/fronted-function.ts'
import { startGatewayBefore } from '../support/gateway-before.ts'
import { instanceTestKey } from '../support/instance-double.ts'
import { reportOf, type ReportSettings } from '../support/instance-reports.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'
import { metricValue } from '../support/metrics-page.ts'
import { SidecarFleet } from '../support/sidecar-fleet.ts'
import { SidecarProcess } from '../support/sidecar-process.ts'

const otherKey = 'a key that these gateways do not have'

/** Newer than whatever a sidecar has sent, and of the function that is called. */
const plausible = { name: 'echo', namespace: '', address: '127.0.0.1', revision: (Date.now() + 5_000) * 1_000 }

describe('an instance that two gateways know', () => {
  guardAgainstLeaks('file')
  let fleet: SidecarFleet
  let behind: FrontedFunction
  /** Nobody may be led here. */
  let trap: FrontedFunction
  let captured: CapturedReports
  let instance: Awaited<ReturnType<SidecarFleet['front']>>
  beforeAll(async () => {
    behind = await FrontedFunction.start(0)
    trap = await FrontedFunction.start(0)
    captured = await CapturedReports.start()
    fleet = await SidecarFleet.start()
    const gateways = [...fleet.gateways.map(({ url }) => url), captured.url]
    instance = await fleet.front(behind.url, { env: { PILOTLIGHT_GATEWAYS: gateways.join(',') } })
    await fleet.areReady([instance.id])
  })
  afterAll(async () => {
    await fleet[Symbol.asyncDispose]()
    await captured[Symbol.asyncDispose]()
    await trap[Symbol.asyncDispose]()
    await behind[Symbol.asyncDispose]()
  })

  function trapPort(): number {
    return Number(new URL(trap.url).port)
  }

  /** What gateways know, but for what changes by itself. */
  async function known(): Promise<unknown> {
    const listed = await Promise.all(fleet.gateways.map((one) => fleet.listed(one)))
    return listed.map((all) => all.map(({ id, phase, origin }) => ({ id, phase, origin })))
  }

  /** Sends a text to both gateways as a report. Returns what both answer. */
  async function post(body: string): Promise<readonly number[]> {
    const answers = await Promise.all(
      fleet.gateways.map(({ url }) => call(`${url}${reportsPath}`, { method: 'POST', body })),
    )
    return answers.map(({ status }) => status)
  }

  it.each<[string, number, () => string]>([
    [
      'by another key, to lead calls elsewhere',
      401,
      () => signReport(forged({ id: 'trap', port: trapPort() }), otherKey),
    ],
    ['by another key, to take it out', 401, () => signReport(forged({ id: instance.id, phase: 'leaving' }), otherKey)],
    [
      'of an address outside of the networks',
      403,
      () => signReport(forged({ id: 'trap', address: '192.0.2.1' }), instanceTestKey),
    ],
    [
      'of an older revision',
      409,
      () => signReport(forged({ id: instance.id, revision: 1, port: trapPort() }), instanceTestKey),
    ],
    [
      'sent two minutes ago',
      409,
      () => signReport(forged({ id: 'trap', sentAtMs: Date.now() - 120_000 }), instanceTestKey),
    ],
    ['changed on its way', 401, () => changed(captured.texts[0] ?? '')],
    ['that says nothing', 400, () => signReport(forged({ id: 'trap', port: 0 }), instanceTestKey)],
    ['larger than any', 413, () => 'v1.'.padEnd(20_000, 'x')],
  ])('is not touched by a report %s (%i)', async (_, status, report) => {
    const before = await known()

    const answers = await post(report())

    expect(answers).toEqual([status, status])
    expect(await known()).toEqual(before)
    const outcomes = await Promise.all(fleet.urls.map((url) => callTogether(10, url)))
    expect(statuses(outcomes.flat())).toEqual({ 200: 20 })
    expect(trap.served).toBe(0)
  })

  it('is not touched by a gateway with another key that writes to the same Redis', async () => {
    const before = await known()
    const env = { PILOTLIGHT_INSTANCE_KEY: otherKey }
    await using stranger = await startGatewayBefore(fleet.provider, {
      env: { ...env, PILOTLIGHT_REDIS_URL: fleet.redis.url },
    })
    await using leading = await SidecarProcess.start({
      name: 'echo',
      gateways: [stranger.url],
      upstreamUrl: trap.url,
      env: { ...env, PILOTLIGHT_INSTANCE_ID: instance.id },
    })
    await fleet.sees('it', (listed) => listed.length === 1, [stranger])

    await eventually('both to refuse what it shares', async () => {
      const pages = await Promise.all(fleet.gateways.map((one) => one.metrics()))
      return pages.every((page) => (metricValue(page, 'pilotlight_shared_instances_refused_total') ?? 0) > 0)
    })

    expect(await known()).toEqual(before)
    const outcomes = await Promise.all(fleet.urls.map((url) => callTogether(10, url)))
    expect(statuses(outcomes.flat())).toEqual({ 200: 20 })
    expect(trap.served).toBe(0)
    leading.signal('SIGTERM')
    await leading.exited
  })

  it('does not come back by a report of before it left', async () => {
    instance.sidecar.signal('SIGTERM')
    expect(await instance.sidecar.exited).toBe(0)
    const after = await known()

    const answers = await Promise.all(captured.texts.map(post))

    expect(answers.length).toBeGreaterThan(1)
    const last = captured.texts.length - 1
    // The last one is the departure itself, which may be repeated.
    expect(answers.flatMap((one, i) => (i === last ? [] : one))).toEqual(
      answers.slice(0, last).flatMap(() => [409, 409]),
    )
    expect(await known()).toEqual(after)
    expect(after).toEqual(fleet.gateways.map(() => [expect.objectContaining({ phase: 'leaving' })]))
  })
})

function forged(settings: ReportSettings) {
  return reportOf({ ...plausible, ...settings })
}

/** The same report with another port, under the old signature. */
function changed(report: string): string {
  const [version, payload = '', signature] = report.split('.')
  const fields = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { record: { port: number } } // as it was sent
  fields.record.port = 1
  return [version, Buffer.from(JSON.stringify(fields)).toString('base64url'), signature].join('.')
}
