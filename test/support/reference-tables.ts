import { dirname } from 'node:path'
import { errorCodes } from '../../core/errors/codes.ts'
import { defaultSettings } from '../../core/config/default-settings.ts'
import { formatDuration } from '../../core/config/duration.ts'
import { environmentVariables, type EnvironmentVariable } from '../../core/config/environment-variables.ts'
import { optionsOf, pluginFolders } from './plugin-options.ts'

const durations = new Set([
  'readTimeout',
  'writeTimeout',
  'upstreamTimeout',
  'holdTimeout',
  'quietPeriod',
  'gracePeriod',
  'instanceTtl',
])

/** The tables of the documentation that are made from code, by the name in their marker. */
export const referenceTables: Readonly<Record<string, () => string | Promise<string>>> = {
  env: environmentTable,
  errors: errorTable,
  options: optionTable,
}

function environmentTable(): string {
  return table(
    ['variable', 'default', 'meaning'],
    environmentVariables.map((variable) => [`\`${variable.name}\``, defaultOf(variable), variable.meaning]),
  )
}

function defaultOf(variable: EnvironmentVariable): string {
  if (variable.defaultText !== undefined) return variable.defaultText
  const defaults: Readonly<Record<string, unknown>> = defaultSettings
  const value = defaults[variable.setting ?? '']
  return `\`${typeof value === 'number' && durations.has(variable.setting ?? '') ? formatDuration(value) : String(value)}\``
}

function errorTable(): string {
  return table(
    ['code', 'status', 'meaning', 'same call may succeed later'],
    Object.entries(errorCodes).map(([code, { status, title, retryable }]) => [
      `\`${code}\``,
      String(status),
      title,
      retryable ? 'yes' : 'no',
    ]),
  )
}

async function optionTable(): Promise<string> {
  const options = await Promise.all(pluginFolders().map(optionsOf))
  return table(
    ['plugin', 'option', 'default', 'meaning'],
    options
      .flat()
      .map(({ plugin, option, defaultText, meaning }) => [
        `\`${plugin}\``,
        `\`${option}\``,
        toDefault(defaultText),
        meaning,
      ]),
  )
}

function toDefault(json: string | undefined): string {
  if (json === undefined) return 'none'
  return json.includes(dirname(process.execPath)) ? 'depends on the machine' : `\`${json.replaceAll('"', '')}\``
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const toLine = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [head, head.map(() => '---'), ...rows].map(toLine).join('\n')
}

/** The text between the markers of a table, and where it stands; undefined when a document has no such markers. */
export function markedTable(document: string, name: string): { text: string; start: number; end: number } | undefined {
  const open = `<!-- table:${name} -->`
  const opened = document.indexOf(open)
  const end = document.indexOf('<!-- /table -->', opened)
  if (opened === -1 || end === -1) return undefined
  const start = opened + open.length
  return { text: document.slice(start, end).trim(), start, end }
}
