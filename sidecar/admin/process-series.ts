import { type Clock, programVersion, labelText, type SeriesFamily, SeriesTable } from '#core/lean'

/** Measures the sidecar's own process. Its names carry the sidecar's prefix: the plain ones belong to the function's page. */
export class ProcessSeries {
  readonly #base: string
  readonly #startedAtMs: number

  /** @param base labels that every series has, as text */
  constructor(clock: Clock, base: string) {
    this.#base = base
    this.#startedAtMs = clock.nowMs() - process.uptime() * 1000
  }

  /** The series as they are now. */
  read(): readonly SeriesTable[] {
    const { user, system } = process.cpuUsage()
    const info = `${this.#base},${labelText('version', programVersion())},${labelText('node', process.version)}`
    return [
      single(gauge('info', 'Version of the sidecar and of the Node.js it runs on; always 1.'), info, 1),
      single(counterOf('process_cpu_seconds_total', 'CPU time of the sidecar.'), this.#base, (user + system) / 1e6),
      single(
        gauge('process_resident_memory_bytes', 'Resident memory of the sidecar.'),
        this.#base,
        process.memoryUsage.rss(),
      ),
      single(
        gauge('process_start_time_seconds', 'When the sidecar started, since the Unix epoch.'),
        this.#base,
        this.#startedAtMs / 1000,
      ),
    ]
  }
}

/** A table with one series. */
export function single(family: SeriesFamily, labels: string, value: number): SeriesTable {
  const table = new SeriesTable(family)
  table.set(table.add(labels), value)
  return table
}

/** A gauge of the sidecar. */
export function gauge(name: string, help: string): SeriesFamily {
  return { name: `${ownPrefix}${name}`, help, type: 'gauge', boundaries: [], combine: 'each' }
}

/** A counter of the sidecar. */
export function counterOf(name: string, help: string): SeriesFamily {
  return { ...gauge(name, help), type: 'counter', combine: 'add' }
}

/** What the names of all series of the sidecar begin with. */
export const ownPrefix = 'pilotlight_sidecar_'
