import type { Catalogue } from '../catalogue/catalogue.ts'
import type { Recipe } from '../catalogue/recipe.ts'
import { parseCommand } from '#core'
import { Refusal } from '../refusal.ts'
import type { Deployment } from './deployment.ts'
import { watchdogSettings, type WatchdogSettings } from './watchdog-settings.ts'

/** Everything that is known about the processes of a function before one is started. */
export interface Workload {
  readonly name: string
  readonly namespace: string
  readonly command: readonly string[]
  readonly settings: WatchdogSettings
  /** What every process gets, besides what belongs to one replica or one call. */
  readonly environment: Readonly<Record<string, string>>
  /** Home and working directory. */
  readonly home: string
}

/** What a workload is made with. */
export interface WorkloadContext {
  readonly catalogue: Catalogue
  /** `PATH` of functions. */
  readonly path: string
  readonly home: string
  /** Folder with the function's secrets. */
  readonly secrets: string
}

/**
 * Decides how a deployment is run.
 * @throws Refusal 400 when its image is unknown, nothing says what to run, or a watchdog variable cannot be read
 */
export function toWorkload(deployment: Deployment, context: WorkloadContext): Workload {
  const { catalogue, path, home, secrets } = context
  const recipe = catalogue.recipeFor(deployment.image)
  const variables = { ...recipe.env, ...deployment.envVars }
  const settings = watchdogSettings({ mode: recipe.mode, variables, annotations: deployment.annotations ?? {} })
  const fprocess = deployment.envProcess || variables['fprocess'] || ''
  const command = commandOf(recipe, settings, fprocess)
  if (command === undefined) {
    throw new Refusal(400, `image "${deployment.image}" has no program of its own here: say what to run in envProcess`)
  }
  return {
    name: deployment.service,
    namespace: deployment.namespace,
    command: typeof command === 'string' ? parseCommand(command, variables['PATH'] ?? path) : command,
    settings,
    environment: {
      PATH: path,
      HOME: home,
      OPENFAAS_NAME: deployment.service,
      OPENFAAS_NAMESPACE: deployment.namespace,
      OPENFAAS_SECRETS_PATH: secrets,
      fprocess: typeof command === 'string' ? command : command.join(' '),
      ...variables,
    },
    home,
  }
}

/** Templates send the fprocess of their own image along: a catalogue that says how to start a server knows better. */
function commandOf({ mode, command }: Recipe, settings: WatchdogSettings, fprocess: string): Recipe['command'] {
  const isServer = mode === 'http' && settings.mode === 'http' && command !== undefined
  return isServer || fprocess === '' ? command : fprocess
}
