import { Agent, get } from 'node:http'
import { gunzipSync } from 'node:zlib'
import { machineMs } from '../../support/machine-clock.ts'

/** One scrape. */
export interface Scrape {
  readonly tookMs: number
  /** As it was sent. */
  readonly bytes: Buffer
  readonly isZipped: boolean
}

/** What Prometheus asks with. @see https://prometheus.io/docs/instrumenting/content_negotiation/ */
const headers = {
  accept: 'application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.3,*/*;q=0.1',
  'accept-encoding': 'gzip',
  'user-agent': 'Prometheus/2.55.0',
  'x-prometheus-scrape-timeout-seconds': '5',
}

/** Scrapes a metrics page again and again as Prometheus does, over one kept connection; pages are read after the load. */
export class Scraper implements Disposable {
  readonly #url: string
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 })
  readonly #scrapes: Scrape[] = []
  #timer: NodeJS.Timeout | undefined
  #isStopped = false

  constructor(url: string) {
    this.#url = url
  }

  /** Begins now, and goes on every `everyMs` from the beginning of one scrape to that of the next. */
  start(everyMs: number): void {
    this.#timer = setTimeout(() => this.start(everyMs), everyMs)
    // A scrape that is cut by the end of the run counts for nothing.
    this.scrape().catch(() => {})
  }

  /** Scrapes once, now. @throws Error when there is no whole page */
  async scrape(): Promise<Scrape> {
    const fromMs = machineMs()
    const { bytes, isZipped } = await this.#fetch()
    const scrape = { tookMs: machineMs() - fromMs, bytes, isZipped }
    if (!this.#isStopped) this.#scrapes.push(scrape)
    return scrape
  }

  /** Ends scraping, and returns all that was scraped. */
  stop(): readonly Scrape[] {
    this[Symbol.dispose]()
    return this.#scrapes
  }

  [Symbol.dispose](): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
    this.#agent.destroy()
  }

  #fetch(): Promise<{ bytes: Buffer; isZipped: boolean }> {
    return new Promise((resolve, reject) => {
      const request = get(this.#url, { agent: this.#agent, headers }, (response) => {
        const pieces: Buffer[] = []
        const isZipped = response.headers['content-encoding'] === 'gzip'
        response.on('data', (piece: Buffer) => pieces.push(piece))
        response.once('error', reject)
        response.once('end', () => {
          if (response.statusCode === 200) resolve({ bytes: Buffer.concat(pieces), isZipped })
          else reject(new Error(`the metrics page was answered ${response.statusCode}`))
        })
      })
      request.once('error', reject)
    })
  }
}

/** The page of a scrape. */
export function pageOf({ bytes, isZipped }: Scrape): string {
  return (isZipped ? gunzipSync(bytes) : bytes).toString()
}

/** The values of all series of a name on a page. */
export function seriesValues(page: string, name: string): readonly number[] {
  return [...page.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)`, 'gm'))].map((match) => Number(match[1]))
}
