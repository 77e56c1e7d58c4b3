import { readFileSync } from 'node:fs'
import { inject } from './inject.ts'
import { decideInject, type InjectSettings } from './inject-settings.ts'
import { Refusal } from './refusal.ts'

/** Runs `pilotlight inject`. @returns the exit code */
export function runInject(argv: readonly string[]): number {
  const decision = decideInject(argv)
  if (decision.action === 'start') return run(decision.settings)
  process.stdout.write(decision.stdout)
  process.stderr.write(decision.stderr)
  return decision.code
}

function run({ file, options }: InjectSettings): number {
  let text: string
  try {
    text = readFileSync(file === '-' ? 0 : file, 'utf8')
  } catch (error) {
    process.stderr.write(`${file}: ${error instanceof Error ? error.message : String(error)}\n`)
    return 2
  }
  try {
    const injected = inject(text, options)
    process.stdout.write(injected.text)
    for (const note of injected.notes) process.stderr.write(`${note}\n`)
    return 0
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    process.stderr.write(`${error.message}\n`)
    return 1
  }
}
