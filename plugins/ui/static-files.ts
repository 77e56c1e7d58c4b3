import { BufferReply, textReply, type GatewayRequest, type Reply } from '#core'
import { readdir, readFile, stat } from 'node:fs/promises'
import { byteRange } from './byte-range.ts'

const types: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
}

/** The first three are those of OpenFaaS; the page needs nothing from elsewhere and nobody needs it in a frame. */
const commonHeaders = {
  'Access-Control-Allow-Headers': 'Content-Type',
  'Access-Control-Allow-Methods': 'GET',
  'Access-Control-Allow-Origin': 'raw.githubusercontent.com',
  'Accept-Ranges': 'bytes',
  'Cache-Control': 'no-cache',
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'X-Content-Type-Options': 'nosniff',
}

interface StaticFile {
  readonly content: Buffer
  readonly type: string
  /** In whole seconds of Unix time, as HTTP dates are. */
  readonly modifiedSeconds: number
}

/**
 * The files of one folder, held in memory. Only names that were there at loading are served, so that no path leads out of the
 * folder.
 */
export class StaticFiles {
  readonly #files: ReadonlyMap<string, StaticFile>

  private constructor(files: ReadonlyMap<string, StaticFile>) {
    this.#files = files
  }

  /**
   * Reads the files of a folder, those in folders below it left out.
   * @throws Error with a Node code when it cannot be read
   */
  static async load(folder: URL): Promise<StaticFiles> {
    const entries = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isFile())
    const files = await Promise.all(entries.map(async ({ name }) => [name, await load(new URL(name, folder))] as const))
    return new StaticFiles(new Map(files))
  }

  /** Answers a GET or HEAD of one file: 200, 206, 304, 404 or 416. */
  reply(request: GatewayRequest, name: string): Reply {
    const file = this.#files.get(name)
    if (file === undefined) return textReply(404, '404 page not found\n')
    const { content, type, modifiedSeconds } = file
    const lastModified = new Date(modifiedSeconds * 1000).toUTCString()
    const headers = { ...commonHeaders, 'Last-Modified': lastModified }
    if (isUnmodified(request, modifiedSeconds)) return new BufferReply(304, headers)
    const isRangeWanted = request.method === 'GET' && (request.header('if-range') ?? lastModified) === lastModified
    const range = isRangeWanted ? byteRange(request.header('range'), content.byteLength) : undefined
    if (range === undefined) return new BufferReply(200, { 'Content-Type': type, ...headers }, content)
    if (range === 'unsatisfiable') return new BufferReply(416, { 'Content-Range': `bytes */${content.byteLength}` })
    const contentRange = `bytes ${range.first}-${range.last}/${content.byteLength}`
    const part = content.subarray(range.first, range.last + 1)
    return new BufferReply(206, { 'Content-Type': type, 'Content-Range': contentRange, ...headers }, part)
  }
}

async function load(file: URL): Promise<StaticFile> {
  const [content, { mtimeMs }] = await Promise.all([readFile(file), stat(file)])
  const extension = file.pathname.slice(file.pathname.lastIndexOf('.') + 1)
  return { content, type: types[extension] ?? 'application/octet-stream', modifiedSeconds: Math.floor(mtimeMs / 1000) }
}

function isUnmodified(request: GatewayRequest, modifiedSeconds: number): boolean {
  const since = Date.parse(request.header('if-modified-since') ?? '')
  return modifiedSeconds * 1000 <= since // false for NaN, which an absent or malformed date gives
}
