import { isSeq, LineCounter, parseAllDocuments, visit, type Document, type ToStringOptions } from 'yaml'
import type { Edit } from './edit.ts'
import { Refusal } from './refusal.ts'

/** A text of several YAML documents, of which some are edited. Those that are not stay as they are, to the character. */
export class YamlStream {
  /** What the documents say. */
  readonly values: readonly unknown[]
  readonly #text: string
  readonly #documents: readonly Document.Parsed[]
  readonly #edited = new Set<number>()

  /** @throws Refusal with line and column when it is no YAML */
  constructor(text: string) {
    const lineCounter = new LineCounter()
    const documents = parseAllDocuments(text, { lineCounter })
    this.#text = text
    this.#documents = Array.isArray(documents) ? documents : []
    for (const { errors } of this.#documents) {
      const [error] = errors
      if (error === undefined) continue
      const { line, col } = lineCounter.linePos(error.pos[0])
      throw new Refusal(
        `line ${line}, column ${col}: ${error.message.split('\n')[0]?.replace(/ at line .*/, '') ?? ''}`,
      )
    }
    this.values = this.#documents.map((document) => document.toJS() as unknown)
  }

  /** Changes one document. @throws Refusal when it uses anchors, whose other uses would change, too */
  edit(index: number, edits: readonly Edit[]): void {
    const document = this.#documents[index]
    if (document === undefined || edits.length === 0) return
    refuseAliases(document)
    this.#edited.add(index)
    for (const edit of edits) apply(document, edit)
  }

  /** The text with all edits. Comments stay; quotes, indentation and lines are kept as far as the library does. */
  toString(): string {
    if (this.#edited.size === 0) return this.#text
    return this.#documents
      .map((document, index) => {
        if (!this.#edited.has(index)) return this.#source(index)
        const text = document.toString(styleOf(this.#source(index)))
        return index > 0 && !text.startsWith('---') ? `---\n${text}` : text
      })
      .join('')
  }

  #source(index: number): string {
    const endOf = (at: number): number =>
      at < 0 ? 0 : at === this.#documents.length - 1 ? this.#text.length : (this.#documents[at]?.range[2] ?? 0)
    return this.#text.slice(endOf(index - 1), endOf(index))
  }
}

function refuseAliases(document: Document): void {
  visit(document, {
    Alias: (_, { source }) => {
      throw new Refusal(`a document with aliases is not changed: write out what *${source} stands for`)
    },
  })
}

function apply(document: Document, { kind, path, value }: Edit): void {
  for (let length = 1; length < path.length; length += 1) {
    const above = path.slice(0, length)
    if (document.getIn(above) === null) document.deleteIn(above)
  }
  // A plain value takes the place of the one before, whose comment stays.
  if (kind === 'set') document.setIn(path, typeof value === 'object' ? document.createNode(value) : value)
  else if (isSeq(document.getIn(path))) document.addIn(path, document.createNode(value))
  else document.setIn(path, document.createNode([value]))
}

function styleOf(text: string): ToStringOptions {
  return {
    lineWidth: 0,
    indentSeq: !/^( *)[^\s#-][^\n]*:\n\1- /m.test(text),
    flowCollectionPadding: /: [[{] /.test(text),
    singleQuote: /[:-] '/.test(text) && !/[:-] "/.test(text),
  }
}
