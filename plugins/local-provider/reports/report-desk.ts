import {
  GatewayError,
  outdated,
  readReport,
  type Clock,
  type InstanceReceipt,
  type InstanceRecord,
  type InstanceRegistry,
  type InstanceReport,
} from '#core'

/** A replica whose sidecar is to report. */
export interface Reporter extends Pick<InstanceRecord, 'id' | 'name' | 'namespace' | 'address' | 'port'> {
  /** Told of every report, the newest record only. */
  readonly onReport: (report: InstanceReport) => void
  /** Told for how long a report holds, in milliseconds. */
  readonly onLease: (ttlMs: number) => void
}

/** What reports are taken with. */
export interface ReportDeskDeps {
  readonly clock: Clock
  /** What sidecars sign with. */
  readonly key: string
  /** Told of every report that was taken; answers for it. */
  readonly registry: InstanceRegistry
}

/** Takes the reports of this provider's sidecars, and of nobody else. */
export class ReportDesk {
  readonly #deps: ReportDeskDeps
  readonly #reporters = new Map<string, Reporter>()
  readonly #newest = new Map<string, InstanceReport>()

  constructor(deps: ReportDeskDeps) {
    this.#deps = deps
  }

  /** Takes reports of a sidecar until disposed. What it sent before, and arrives later, does not count for the next one of its id. */
  expect(reporter: Reporter): Disposable {
    const { id } = reporter
    this.#reporters.set(id, reporter)
    return {
      [Symbol.dispose]: () => {
        this.#reporters.delete(id)
        this.#withdraw(id)
      },
    }
  }

  /** No sidecar with this id will be expected any more. */
  forget(id: string): void {
    this.#newest.delete(id)
  }

  /**
   * Verifies a report and acts on it.
   * @throws GatewayError as `readReport` and `InstanceRegistry.take`; `forbidden` when it is about no replica of this provider
   */
  async take(text: string): Promise<InstanceReceipt> {
    const { clock, key, registry } = this.#deps
    const report = readReport(text, key, clock.nowMs())
    const { record } = report
    const reporter = this.#reporters.get(record.id)
    if (reporter === undefined || !isAbout(record, reporter)) {
      throw new GatewayError(
        'forbidden',
        `"${record.id}" is no replica of this provider, or is described as another one`,
      )
    }
    const newest = this.#newest.get(record.id)
    if (newest !== undefined && newest.record.revision > record.revision) {
      throw outdated(`revision ${record.revision} of "${record.id}" is older than ${newest.record.revision}`)
    }
    this.#newest.set(record.id, report)
    reporter.onReport(report)
    const receipt = await registry.take(report)
    reporter.onLease(receipt.ttlMs)
    return receipt
  }

  /** Says for a sidecar that ended without a word that its instance is gone: nobody has to find out by calling it. */
  #withdraw(id: string): void {
    const last = this.#newest.get(id)
    if (last === undefined || last.record.phase === 'leaving') return
    const nowMs = this.#deps.clock.nowMs()
    const revision = Math.max(last.record.revision + 1, Math.floor(nowMs * 1000))
    const record = { ...last.record, phase: 'leaving', revision } as const
    const report = { record, load: last.load, sentAtMs: nowMs }
    this.#newest.set(id, report)
    // Without it, the lease of the instance ends by itself.
    this.#deps.registry.take(report).catch(() => {})
  }
}

function isAbout(record: InstanceRecord, { name, namespace, address, port }: Reporter): boolean {
  return record.name === name && record.namespace === namespace && record.address === address && record.port === port
}
