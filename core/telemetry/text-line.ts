const barePrintable = /^[^\s"=\p{Cc}]+$/u
const controls = /[\p{Cc}\u2028\u2029]/gu

/**
 * Turns a log line of JSON into one of text: time, level, message, then `key=value`. Always one line and without control
 * characters, whatever the message holds, so that a caller's data can neither fake a line nor drive a terminal.
 */
export function toTextLine(json: string): string {
  const { time, level, message, ...fields } = JSON.parse(json) as Readonly<Record<string, unknown>>
  const parts = [time, String(level).padEnd(5), escapeControls(String(message)), ...flatten(fields)]
  return `${parts.join(' ')}\n`
}

/** Fields of nested objects become `outer.inner=value`, one level deep; what is deeper stays JSON. */
function flatten(fields: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(fields).flatMap(([name, value]) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return [toPair(name, value)]
    return Object.entries(value).map(([inner, innerValue]) => toPair(`${name}.${inner}`, innerValue))
  })
}

function toPair(name: string, value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return `${escapeControls(name)}=${barePrintable.test(text) ? text : escapeControls(JSON.stringify(text))}`
}

function escapeControls(text: string): string {
  return text.replace(controls, (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
