import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { codeBlocks, document, section } from '../support/documents.ts'
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'
import { runNode } from '../support/run-process.ts'
import { ScriptedProvider } from '../support/scripted-provider.ts'
import { projectRoot } from '../support/source-files.ts'
import { temporaryFile } from '../support/temporary-file.ts'

const readme = document('README.md')

describe('the first steps in README.md', () => {
  const [session = ''] = codeBlocks(section(readme, '## Run it'), 'console')
  const commands = [...session.matchAll(/^\$ curl http:\/\/127\.0\.0\.1:8080(\S+)(?: -d '(.*)')?\n(.*)$/gm)].map(
    ([, path = '', body, output = '']) => ({ path, body, output }),
  )
  const state = mkdtempSync(join(tmpdir(), 'pilotlight-readme-'))
  let gateway: GatewayProcess

  guardAgainstLeaks('file')
  beforeAll(async () => {
    const pluginOptions = { 'local-provider': { stateDirectory: join(state, 'local-provider') } }
    gateway = await startGatewayProcess({ config: stringify({ pluginOptions }) })
  })
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]()
    rmSync(state, { recursive: true, force: true })
  })

  it('are some', () => {
    expect(commands.length).toBe(session.split('\n').filter((line) => line.startsWith('$ ')).length)
    expect(commands.length).toBeGreaterThan(2)
  })

  it.each(commands)('show what $path answers', async ({ path, body, output }) => {
    const headers = { connection: 'close', 'content-type': 'application/x-www-form-urlencoded' }
    const request = body === undefined ? {} : { method: 'POST', body }

    const response = await fetch(`${gateway.url}${path}`, { headers, ...request })

    expect((await response.text()).trimEnd()).toBe(output)
  })
})

describe('the configuration file in README.md', () => {
  const [example = ''] = codeBlocks(section(readme, '## Configuration'), 'yaml')

  it('is accepted, options of plugins included', async () => {
    await using provider = await ScriptedProvider.start({ name: 'any', namespace: 'openfaas-fn' })
    const args = ['--host', '127.0.0.1', '--port', '0', '--metrics-port', '0', '--provider-url', provider.url]
    await using gateway = await startGatewayProcess({ config: example, args })

    const response = await fetch(`${gateway.url}/function/any.openfaas-fn`, { headers: { connection: 'close' } })
    const answer = await response.text()
    gateway.signal('SIGKILL') // its quiet period is that of the example
    await gateway.exited

    expect(answer).toBe('hello\n')
  })

  it('sets what it says', async () => {
    using file = temporaryFile('pilotlight.yaml', example)

    const args = [join(projectRoot, 'bin/pilotlight.js'), '--config', file.path, '--print-config']
    const { stdout } = await runNode(args)

    expect(stdout).toContain('holdTimeout: 45s\n')
    expect(stdout).toContain('readTimeout: 2m0s\n')
    expect(stdout).toContain('linesPerSecond: 50\n')
  })
})
