import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from './source-files.ts'

/** A page of the documentation. */
export interface Document {
  /** From the root of the project. */
  readonly path: string
  readonly text: string
}

const folders = ['core', 'plugins', 'sidecar', 'deploy', 'test']

/** Every Markdown page of the project. */
export function documents(): readonly Document[] {
  const below = folders.flatMap((folder) =>
    readdirSync(join(projectRoot, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  )
  return [...readdirSync(projectRoot), ...below]
    .filter((path) => path.endsWith('.md') && !path.includes('node_modules'))
    .map(document)
}

/** One page. */
export function document(path: string): Document {
  return { path, text: readFileSync(join(projectRoot, path), 'utf8') }
}

/** The cells of a table's rows, head and rule left out. `|` inside a cell is written `\|`. */
export function tableRows(markdown: string): readonly (readonly string[])[] {
  return markdown
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .slice(1, line.lastIndexOf('|'))
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim()),
    )
    .slice(2)
}

/** The text of a section, its heading left out, up to the next heading of the same or a higher level. */
export function section({ path, text }: Document, heading: string): string {
  const start = text.indexOf(`\n${heading}\n`)
  if (start === -1) throw new Error(`${path} has no heading "${heading}"`)
  const body = text.slice(start + heading.length + 2)
  const level = heading.indexOf(' ')
  // Comments in code look like headings.
  const prose = body.replaceAll(/^```.*?^```$/gms, (block) => ' '.repeat(block.length))
  const end = prose.search(new RegExp(`^#{1,${level}} `, 'm'))
  return end === -1 ? body : body.slice(0, end)
}

/** The fenced blocks of one language. */
export function codeBlocks(markdown: string, language: string): readonly string[] {
  return [...markdown.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map((match) => match[1] ?? '')
}

/** The anchors of a page, as web pages of repositories make them from headings. */
export function anchorsOf({ text }: Document): ReadonlySet<string> {
  const headings = text.replaceAll(/^```.*?^```$/gms, '').matchAll(/^#+ (.+)$/gm)
  return new Set(
    [...headings].map((match) =>
      (match[1] ?? '')
        .toLowerCase()
        .replaceAll(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    ),
  )
}
