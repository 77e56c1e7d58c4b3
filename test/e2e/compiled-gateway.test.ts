import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { startGatewayProcess } from '../support/gateway-process.ts'
import { PluginProject } from '../support/plugin-project.ts'
import { startRedis } from '../support/redis-servers.ts'
import { runNode } from '../support/run-process.ts'
import { projectRoot } from '../support/source-files.ts'
import { temporaryFile } from '../support/temporary-file.ts'

/** Beside the folder lie only the dependencies: a path that leads back to the sources would lead nowhere. */
const installed = mkdtempSync(join(tmpdir(), 'pilotlight-compiled-'))
const compiled = join(installed, 'app')
const entry = join(compiled, 'bin/pilotlight.js')

beforeAll(async () => {
  const built = await runNode([join(projectRoot, 'deploy/build.ts'), compiled])
  if (built.code !== 0) throw new Error(`the build failed:\n${built.stdout}${built.stderr}`)
  symlinkSync(join(projectRoot, 'node_modules'), join(installed, 'node_modules'))
})
afterAll(() => rmSync(installed, { recursive: true, force: true }))

describe('the compiled gateway', () => {
  it('wakes a sample function, serves its page and stops with exit code 0', async () => {
    const pluginOptions = { 'local-provider': { stateDirectory: join(installed, 'state') } }
    await using gateway = await startGatewayProcess({ entry, config: stringify({ pluginOptions }) })

    const hello = await fetch(`${gateway.url}/function/hello`, { headers: { connection: 'close' } })
    const page = await fetch(`${gateway.url}/ui/`, { headers: { connection: 'close' } })
    gateway.signal('SIGTERM')

    expect(await hello.text()).toBe('Hello, world!\n')
    expect(page.status).toBe(200)
    expect(await gateway.exited).toEqual({ code: 0, signal: null })
  })

  it('gives plugins from outside the compiled core, not another one', async () => {
    using project = new PluginProject()
    project.addSource()
    const config = project.configure({
      functionsProviderUrl: 'http://127.0.0.1:9/',
      plugins: ['provider-client', 'notifier', { use: './caller-limit.ts' }],
    })
    await using gateway = await startGatewayProcess({ entry, args: ['--config', config] })

    expect(gateway.output).toContain('calls are limited per caller')
  })

  it('joins a fleet: it has the scripts that Redis runs', async () => {
    await using redis = await startRedis()
    await using gateway = await startGatewayProcess({ entry, env: { PILOTLIGHT_REDIS_URL: redis.url } })

    await eventually('the gateway to join', () => gateway.output.includes('gateways decide together by Redis'))
  })

  it('knows its version', async () => {
    const { stdout } = await runNode([entry, '--version'])

    expect(stdout).toBe((await runNode([join(projectRoot, 'bin/pilotlight.js'), '--version'])).stdout)
  })

  it('holds no TypeScript but declarations', () => {
    const files = readdirSync(compiled, { recursive: true, encoding: 'utf8' })

    expect(files.filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))).toEqual([])
    expect(files.length).toBeGreaterThan(200)
  })
})

describe('deploy/build.ts', () => {
  it('leaves a folder alone that holds something else', () => {
    using file = temporaryFile('precious.txt', 'keep me')

    const { status, stderr } = spawnSync(process.execPath, [join(projectRoot, 'deploy/build.ts'), file.directory], {
      encoding: 'utf8',
    })

    expect(status).toBe(2)
    expect(stderr).toContain('is not empty')
    expect(readdirSync(file.directory)).toEqual(['precious.txt'])
  })
})
