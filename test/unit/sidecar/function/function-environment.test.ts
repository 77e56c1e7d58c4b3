import { expect, it } from 'vitest'
import { functionEnvironment } from '../../../../sidecar/function/function-environment.ts'

it('a function has the environment of its sidecar, without what concerns the sidecar', () => {
  const own = {
    PATH: '/bin',
    fprocess: 'cat',
    OPENFAAS_SECRETS_PATH: '/secrets',
    PILOTLIGHT_INSTANCE_KEY: 'secret',
    PILOTLIGHT_INSTANCE_KEY_FILE: '/key',
    PILOTLIGHT_GATEWAYS: 'http://gateway',
    unset: undefined,
  }

  expect(functionEnvironment(own)).toEqual({ PATH: '/bin', fprocess: 'cat', OPENFAAS_SECRETS_PATH: '/secrets' })
})
