import { flushCompileCache } from 'node:module'
import { programVersion, systemRandom } from '#core/lean'
import { readArguments } from './settings/arguments.ts'
import { helpText } from './settings/help-text.ts'
import { readSettings } from './settings/read-settings.ts'
import { runSidecar } from './run-sidecar.ts'

const wrongUsage = 2
const asked = readArguments(process.argv.slice(3))
if (asked.action === 'help') process.stdout.write(helpText())
else if (asked.action === 'version') process.stdout.write(`${programVersion()}\n`)
else if (asked.action === 'refuse') refuse([`${asked.text}; see pilotlight sidecar --help`])
else {
  const { command, action } = asked
  const { settings, faults, notices } = readSettings({
    environment: process.env,
    command,
    directory: process.cwd(),
    random: systemRandom,
  })
  for (const { where, text } of notices) process.stderr.write(`pilotlight sidecar: ${where}: ${text}\n`)
  if (faults.length > 0) refuse(faults.map(({ where, text }) => `${where}: ${text}`))
  else if (action === 'check') process.stdout.write('configuration ok\n')
  else process.exit(await runSidecar(settings, { host: process, onStarted: flushCompileCache }))
}

function refuse(faults: readonly string[]): void {
  const count = faults.length === 1 ? '1 fault' : `${faults.length} faults`
  process.stderr.write(`pilotlight sidecar cannot start, ${count}:\n${faults.map((one) => `  ${one}\n`).join('')}`)
  process.exitCode = wrongUsage
}
