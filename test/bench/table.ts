/** One line of a table: a name, then its cells. */
export type Row = readonly (string | number)[]

/** Renders a Markdown table, so that a result can be pasted into a page as it is. */
export function table(headings: readonly string[], rows: readonly Row[]): string {
  const cells = [headings, ...rows.map((row) => row.map(String))]
  const widths = headings.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? '').length)))
  const lines = cells.map(
    (row) => `| ${widths.map((width, column) => pad(row[column] ?? '', width, column)).join(' | ')} |`,
  )
  const rule = `|${widths.map((width, column) => (column === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`
  return [lines[0], rule, ...lines.slice(1)].join('\n')
}

/** A number with as many decimals as make sense to read. */
export function rounded(value: number, decimals = 1): string {
  return Number.isFinite(value) ? value.toFixed(decimals) : '-'
}

function pad(text: string, width: number, column: number): string {
  return column === 0 ? text.padEnd(width) : text.padStart(width)
}
