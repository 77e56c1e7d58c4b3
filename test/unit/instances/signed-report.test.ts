import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { instanceSecret, isOutdated, readReport, signReport, slotsToken } from '#core'
import * as lean from '../../../core/lean.ts'
import { readSharedReport } from '../../../core/instances/signed-report.ts'
import { instanceKey as key, reportOf } from '../../support/instance-reports.ts'

const nowMs = 1_800_000_000_000
const report = reportOf({ sentAtMs: nowMs })

/** As the protocol says it. */
function secretOf(id: string, functionKey: string, by = key): string {
  return createHmac('sha256', by).update(`instance ${id} of ${functionKey}`).digest('base64url')
}

/** Signs whatever a test wants to, by default as instance `a` of `echo.fn`. */
function signed(payload: string | object, by = secretOf('a', 'echo.fn')): string {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload)
  const head = `v1.${Buffer.from(text).toString('base64url')}`
  return `${head}.${createHmac('sha256', by).update(head).digest('base64url')}`
}

function failureOf(text: string, atMs = nowMs): unknown {
  try {
    return readReport(text, key, atMs)
  } catch (error) {
    return error
  }
}

/** A report that somebody else has changed. */
function withPayload(payload: object): string {
  const [version, , signature] = signed(report).split('.')
  return `${version}.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.${signature}`
}

describe('a signed report', () => {
  it('is read as it was signed, also with line ends around it', () => {
    const text = signReport(report, key)

    expect(readReport(text, key, nowMs)).toEqual(report)
    expect(readReport(`${text}\r\n`, key, nowMs)).toEqual(report)
    expect(text).toMatch(/^v1\.[\w-]+\.[\w-]{43}$/)
  })

  it('is what anybody can make who knows the form', () => {
    expect(readReport(signed(report), key, nowMs)).toEqual(report)
    expect(signReport(report, key)).toBe(signed(report))
  })

  it('is made by the same code at both doors', () => {
    expect(lean.signReport).toBe(signReport)
    expect(lean.signOwnReport(report, lean.instanceSecret(key, report.record))).toBe(signReport(report, key))
    expect(lean.readReport).toBe(readReport)
  })

  it.each([
    ['by another key', signReport(report, 'another key')],
    ['by the shared key itself', signed(report, key)],
    ['by the secret of another instance', signed(report, secretOf('b', 'echo.fn'))],
    ['by the secret of another function', signed(report, secretOf('a', 'env.fn'))],
    ['not at all', signed(report).replace(/\.[^.]*$/, '.')],
    ['for another payload', withPayload({ ...report, sentAtMs: nowMs - 1 })],
    ['with the end cut off', signed(report).slice(0, -1)],
  ])('is refused as unauthenticated when it is signed %s', (_, text) => {
    expect(failureOf(text)).toMatchObject({ code: 'unauthenticated' })
  })

  it.each([
    ['nothing', ''],
    ['two parts', 'v1.abc'],
    ['four parts', `${signed(report)}.more`],
    ['another version', signed(report).replace('v1', 'v2')],
    ['more than any report has', `v1.${'a'.repeat(8_200)}.b`],
    ['no JSON', signed('{')],
    ['no object', signed('[1]')],
    ['null', signed('null')],
    ['no record', signed({ load: report.load, sentAtMs: nowMs })],
    ['nobody', signed({ ...report, record: { ...report.record, id: undefined } })],
    ['no load', signed({ record: report.record, sentAtMs: nowMs })],
  ])('is refused as invalid when it is %s', (_, text) => {
    expect(failureOf(text)).toMatchObject({ code: 'request_invalid', details: {} })
  })

  it.each([
    ['id', ''],
    ['id', 'a b'],
    ['id', 'a'.repeat(129)],
    ['id', 7],
    ['name', ''],
    ['name', '../etc'],
    ['name', 'n'.repeat(254)],
    ['namespace', 'a.b'],
    ['namespace', undefined],
    ['address', 'localhost'],
    ['address', '[::1]'],
    ['address', 'fe80::1%eth0'],
    ['address', '10.0.0.1:80'],
    ['port', 0],
    ['port', 65_536],
    ['port', '8080'],
    ['adminPort', -1],
    ['secure', 'true'],
    ['limit', -1],
    ['limit', 1.5],
    ['phase', 'dead'],
    ['phase', '__proto__'],
    ['revision', 0],
    ['revision', 2 ** 53],
  ])('is refused when the record has as %s %j', (field, value) => {
    const text = signed({ ...report, record: { ...report.record, [field]: value } })

    expect(failureOf(text)).toMatchObject({ code: 'request_invalid' })
  })

  it.each([
    ['inFlight', -1],
    ['queued', 0.5],
    ['streams', '1'],
    ['idleForMs', null],
    ['idleForMs', -0.1],
  ])('is refused when the load has as %s %j', (field, value) => {
    expect(failureOf(signed({ ...report, load: { ...report.load, [field]: value } }))).toMatchObject({
      code: 'request_invalid',
      message: expect.stringContaining(`"${field}"`),
    })
  })

  it('is read without what a later version has added', () => {
    const later = {
      ...report,
      colour: 'red',
      record: { ...report.record, zone: 'b' },
      load: { ...report.load, cpu: 0.5 },
    }

    expect(readReport(signed(later), key, nowMs)).toEqual(report)
  })

  it.each([
    ['a minute after it was sent', 60_000, true],
    ['later', 60_001, false],
    ['by a gateway whose clock is a minute behind', -60_000, true],
    ['by one that is further behind', -60_001, false],
  ])('counts or not, %s', (_, afterMs, counts) => {
    const answer = failureOf(signReport(report, key), nowMs + afterMs)

    expect(isOutdated(answer)).toBe(!counts)
    if (!counts) expect(answer).toMatchObject({ code: 'request_invalid' })
    expect(readSharedReport(signReport(report, key), key)).toEqual(report)
  })

  it('never makes anything but a refusal of what nobody has signed', () => {
    const anything = fc.oneof(
      fc.string(),
      fc.string().map((text) => `v1.${text}`),
      fc.json().map((text) => signed(text, 'another key')),
    )

    fc.assert(
      fc.property(anything, (text) => {
        expect(['unauthenticated', 'request_invalid']).toContain(Reflect.get(Object(failureOf(text)), 'code'))
      }),
    )
  })

  it('is refused or read, never half read, whatever was signed', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom('record', 'load', 'sentAtMs'), (json, part) => {
        const answer = failureOf(signed({ ...report, [part]: JSON.parse(json) }))
        expect(Reflect.get(Object(answer), 'code') ?? answer).toEqual(
          answer instanceof Error ? 'request_invalid' : { ...report, sentAtMs: expect.any(Number) },
        )
      }),
    )
  })
})

describe('the secret of an instance', () => {
  it('is of one id, one function and one key', () => {
    const one = { id: 'a', name: 'echo', namespace: 'fn' }
    const secrets = [
      instanceSecret(key, one),
      instanceSecret(key, { ...one, id: 'b' }),
      instanceSecret(key, { ...one, name: 'env' }),
      instanceSecret(key, { ...one, namespace: '' }),
      instanceSecret('another key', one),
    ]

    expect(new Set(secrets).size).toBe(5)
    expect(secrets[0]).toBe(secretOf('a', 'echo.fn'))
    expect(secrets[3]).toBe(secretOf('a', 'echo'))
  })
})

describe('the token for slots', () => {
  it('is of one instance', () => {
    const secret = secretOf('a', 'echo.fn')

    expect(slotsToken(secret)).toBe(createHmac('sha256', secret).update('slots').digest('base64url'))
    expect(slotsToken(secretOf('b', 'echo.fn'))).not.toBe(slotsToken(secret))
  })

  it('is no signature of a report', () => {
    const head = 'v1.e30'

    expect(slotsToken(key)).not.toBe(createHmac('sha256', key).update(head).digest('base64url'))
  })
})
