import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { call } from '../support/callers.ts'
import { startGatewayProcess } from '../support/gateway-process.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'

const stateDirectory = mkdtempSync(join(tmpdir(), 'pilotlight-crash-'))

describe('a function whose process exits at once', () => {
  guardAgainstLeaks()
  afterAll(() => rmSync(stateDirectory, { recursive: true }))

  it('is a 503 with what its provider says, long before the hold is over, and then at once', async () => {
    await using gateway = await startGatewayProcess({
      env: { PILOTLIGHT_HOLD_TIMEOUT: '1h' },
      config: JSON.stringify({
        pluginOptions: {
          'local-provider': {
            stateDirectory,
            catalogue: [{ image: 'crash:*', mode: 'http', command: ['sh', '-c', 'exit 3'] }],
          },
          'scale-from-zero': { crashPatience: '500ms', failureBackoff: '1h', failureBackoffMax: '1h' },
        },
      }),
    })
    await call(`${gateway.url}/system/functions`, { method: 'POST', body: '{"service":"crash","image":"crash:1"}' })

    const first = await call(`${gateway.url}/function/crash`)
    const second = await call(`${gateway.url}/function/crash`)

    expect(first.status).toBe(503)
    expect(first.body).toContain('exit status 3')
    expect(second.status).toBe(503)
    expect(second.body).toContain('"circuit_open"')
    expect(second.body).toContain('exit status 3')
    expect(Number(second.headers['retry-after'])).toBeGreaterThan(1)
  })
})
