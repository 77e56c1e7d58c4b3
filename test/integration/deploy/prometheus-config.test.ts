import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { toolPath } from '../../support/debian-tools.ts'
import { projectRoot } from '../../support/source-files.ts'

it('deploy/compose/prometheus.yml is a configuration that Prometheus accepts', async () => {
  const file = join(projectRoot, 'deploy/compose/prometheus.yml')

  const { stdout } = await promisify(execFile)(toolPath('promtool'), ['check', 'config', file])

  expect(stdout).toContain('SUCCESS')
})
