import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { header } from '../../support/raw-http.ts'
import { temporaryFile, type TemporaryFile } from '../../support/temporary-file.ts'
import { json } from '../../unit/plugins/provider-client/handler-provider.ts'
import { SystemApi } from './system-api.ts'

guardAgainstLeaks('file')

let secrets: TemporaryFile
let api: SystemApi

const right = basic('admin:s3cret:with:colons')

function basic(account: string): string {
  return `Basic ${Buffer.from(account).toString('base64')}`
}

beforeAll(async () => {
  secrets = temporaryFile('basic-auth-user', ' admin\n')
  writeFileSync(join(secrets.directory, 'basic-auth-password'), 's3cret:with:colons\n')
  api = await SystemApi.start({ basic_auth: 'true', secret_mount_path: secrets.directory })
})

afterAll(async () => {
  await api[Symbol.asyncDispose]()
  secrets[Symbol.dispose]()
})

describe('basic auth', () => {
  it.each([
    '/system/functions',
    '/system/info',
    '/system/alert',
    '/system/namespace/',
    '/system/scale-function/x',
    '/system/function-ready',
    '/ui/',
  ])('guards %s', async (path) => {
    const method = /alert|scale|ready/.test(path) ? 'POST' : 'GET'

    const answer = await api.raw(method, path)

    expect(answer.status).toBe(401)
    expect(header(answer, 'www-authenticate')).toBe('Basic realm="Restricted"')
    expect(header(answer, 'content-type')).toMatch(/^text\/plain/)
    expect(answer.body.toString()).toBe('invalid credentials')
  })

  it.each([
    ['a wrong password', basic('admin:wrong')],
    ['a wrong user', basic('root:s3cret:with:colons')],
    ['no password', basic('admin')],
    ['an empty account', basic(':')],
    ['another scheme', right.replace('Basic', 'Bearer')],
    ['no account', 'Basic'],
    ['what is not base64', 'Basic !!!!'],
    ['the account in plain text', 'admin:s3cret:with:colons'],
    ['the account with a space more', basic(' admin:s3cret:with:colons')],
  ])('refuses %s', async (_case, authorization) => {
    expect((await api.raw('GET', '/system/namespaces', [`Authorization: ${authorization}`])).status).toBe(401)
  })

  it('guards other spellings of a path', async () => {
    expect((await api.raw('GET', '/%73ystem/namespaces')).status).toBe(401)
  })

  it('lets the account pass, whatever the case of the scheme, and calls the provider with its own', async () => {
    api.serve(json([]))

    const answers = await Promise.all(
      [right, right.replace('Basic', 'basic')].map((Authorization) =>
        api.call('GET', '/system/namespaces', { headers: { Authorization } }),
      ),
    )

    expect(answers.map(({ status }) => status)).toEqual([200, 200])
    expect(api.seen.map(({ headers }) => headers.authorization)).toEqual([right, right])
  })

  it('sends the credentials of the gateway to the source of logs', async () => {
    api.serve(json([]))

    await api.call('GET', '/system/logs', { headers: { Authorization: right } })

    expect(api.seen[0]?.headers.authorization).toBe(right)
  })

  it.each(['/healthz', '/readyz'])('leaves %s open', async (path) => {
    expect((await api.raw('GET', path)).status).toBe(200)
  })

  it('leaves functions open, and their credentials alone', async () => {
    api.serve(({ target }, response) => {
      if (target.startsWith('/function/')) response.end('echo')
      else response.end('{"name":"x","replicas":1,"availableReplicas":1}')
    })

    const answer = await api.call('GET', '/function/x', { headers: { Authorization: 'Bearer mine' } })

    expect(await answer.text()).toBe('echo')
    expect(api.seen.at(-1)?.headers.authorization).toBe('Bearer mine')
  })

  it('takes over a rotated password', async () => {
    api.serve(json([]))
    const path = join(secrets.directory, 'basic-auth-password')
    const status = async (account: string): Promise<number> =>
      (await api.raw('GET', '/system/namespaces', [`Authorization: ${basic(account)}`])).status

    writeFileSync(path, 'rotated')
    await eventually('the new password to hold', async () => (await status('admin:rotated')) === 200)

    expect(await status('admin:s3cret:with:colons')).toBe(401)
    writeFileSync(path, 's3cret:with:colons')
    await eventually('the old password to hold again', async () => (await status('admin:s3cret:with:colons')) === 200)
  })
})

describe('a gateway with basic auth', () => {
  it.each([
    ['is missing', undefined],
    ['is empty', ' \n'],
  ])('does not start when the file of the password %s, and names it', async (_case, password) => {
    using folder = temporaryFile('basic-auth-user', 'admin')
    const path = join(folder.directory, 'basic-auth-password')
    if (password !== undefined) writeFileSync(path, password)

    const starting = SystemApi.start({ basic_auth: 'true', secret_mount_path: folder.directory })

    await expect(starting).rejects.toThrow(path)
  })
})
