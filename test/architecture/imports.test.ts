import { describe, expect, it } from 'vitest'
import { importViolations } from '../support/import-rules.ts'
import { sourceFiles } from '../support/source-files.ts'

describe('the import rules', () => {
  it('are kept by core, plugins and sidecar', () => {
    const files = sourceFiles('core', 'plugins', 'sidecar')

    expect(files.filter((file) => file.path.startsWith('core/')).length).toBeGreaterThan(30)
    expect(files.filter((file) => file.path.startsWith('plugins/')).length).toBeGreaterThan(10)
    expect(importViolations(files)).toEqual([])
  })

  it.each([
    ['core importing a plugin', 'core/http/a.ts', "import x from '../../plugins/auth/index.ts'"],
    ['core loading a plugin by a fixed name', 'core/http/a.ts', "await import('../../plugins/auth/index.ts')"],
    ['core importing the sidecar', 'core/a.ts', "export { x } from '../sidecar/drain.ts'"],
    ['a plugin importing another', 'plugins/auth/a.ts', "import type { X } from '../ui/index.ts'"],
    ['a plugin importing past the door', 'plugins/auth/a.ts', "import { x } from '../../core/http/a.ts'"],
    ['a plugin importing test helpers', 'plugins/auth/a.ts', "import { x } from '../../test/support/a.ts'"],
    ['the sidecar importing past the door', 'sidecar/a.ts', "import {\n  x,\n} from '../core/errors/codes.ts'"],
    ['the sidecar importing the large door', 'sidecar/a.ts', "import { x } from '#core'"],
    ['the sidecar importing a large library', 'sidecar/a.ts', "import { z } from 'zod'"],
    ['a plugin importing a door of the sidecar', 'plugins/auth/a.ts', "import { x } from '#core/lean'"],
    ['undici outside core/http', 'core/replicas/a.ts', "import { Pool } from 'undici'"],
    ['http-proxy outside core/http', 'plugins/auth/a.ts', "import httpProxy from 'http-proxy'"],
    ['ioredis outside core/redis', 'core/coordination/a.ts', "import { Redis } from 'ioredis'"],
    ['tsyringe outside core/container', 'core/gateway.ts', "import 'tsyringe'"],
    ['the OTel SDK outside core/telemetry', 'plugins/notifier/a.ts', "import { x } from '@opentelemetry/sdk-metrics'"],
  ])('refuse %s', (_, path, text) => {
    expect(importViolations([{ path, text }])).toHaveLength(1)
  })

  it.each([
    ['a plugin importing #core', 'plugins/auth/a.ts', "import { x } from '#core'"],
    ['a plugin importing its own folder', 'plugins/auth/sub/a.ts', "import { x } from '../options.ts'"],
    ['the sidecar importing its doors', 'sidecar/a.ts', "import { x } from '#core/lean'\nawait import('#core/peers')"],
    ['a plugin importing a package', 'plugins/auth/a.ts', "import { z } from 'zod'\nimport fs from 'node:fs'"],
    ['the OTel API anywhere', 'plugins/auth/a.ts', "import { trace } from '@opentelemetry/api'"],
    ['undici in core/http', 'core/http/a.ts', "import { Pool } from 'undici'"],
  ])('allow %s', (_, path, text) => {
    expect(importViolations([{ path, text }])).toEqual([])
  })
})

describe('comments that switch off a lint rule', () => {
  it('carry a reason after two dashes', () => {
    const files = sourceFiles('core', 'plugins', 'sidecar', 'test', 'deploy')
    const disables = files.flatMap((file) =>
      [...file.text.matchAll(/^.*(?:\/\/|\/\*)\s*(?:ox|es)lint-disable.*$/gm)].map(
        (match) => `${file.path}: ${match[0].trim()}`,
      ),
    )

    expect(disables.filter((line) => !/-- \S/.test(line))).toEqual([])
  })
})
