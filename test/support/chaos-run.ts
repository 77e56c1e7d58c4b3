import type { ClusterGateway } from '../../deploy/cluster/cluster.ts'
import { isStated, overlaps, type Evidence, type Excuse, type Span } from '../chaos/oracle.ts'
import type { ChaosFleet } from './chaos-fleet.ts'
import { ChaosLoad } from './chaos-load.ts'
import { eventually, pause } from './eventually.ts'
import { machineMs } from './machine-clock.ts'

/** Calls that must have been answered before a fault is worth injecting. */
const warmUpCalls = 40
/** What a fault costs may show so much later: commands time out, logs and scrapes arrive. Milliseconds. */
const aftermathMs = 500

/** A wall clock that jumps by more than this during a run, as that of a machine that was suspended, makes leases expire early. */
const clockJumpMs = 200

/** A span whose end is not known yet is Infinity. */
interface OpenSpan {
  readonly fromMs: number
  untilMs: number
}

/**
 * A fleet under load, and what is done to it: injects faults, knows whose calls they excuse, collects the evidence. Disposing ends the
 * load and leaves the fleet without faults, whatever a test has done to it.
 */
export class ChaosRun implements AsyncDisposable {
  readonly fleet: ChaosFleet
  readonly load: ChaosLoad
  readonly #faults: OpenSpan[] = []
  readonly #excuses: Excuse[] = []
  readonly #down = new Map<ClusterGateway, OpenSpan>()
  readonly #startMs = machineMs()
  readonly #wallClockMs = Date.now() - machineMs()
  readonly #before: Counts
  /** Take-overs that each process of a gateway counted before this run, and when it was asked last. */
  readonly #takeOversBefore: ReadonlyMap<number, number>
  readonly #takeOversSeen = new Map<number, number>()

  private constructor(fleet: ChaosFleet, load: ChaosLoad, takeOversBefore: ReadonlyMap<number, number>) {
    this.fleet = fleet
    this.#takeOversBefore = takeOversBefore
    this.#before = countsOf(fleet)
    this.load = load
  }

  /** Puts a whole fleet under load, at all entrances or some; resolves when calls are answered. */
  static async begin(fleet: ChaosFleet, { entrances = fleet.entrances } = {}): Promise<ChaosRun> {
    await fleet.isWhole()
    const run = new ChaosRun(fleet, new ChaosLoad(fleet.provider, entrances), await fleet.takeOvers())
    run.load.start()
    await eventually('the load to run', () => run.load.calls.length >= warmUpCalls)
    return run
  }

  /** Notes that there is a fault while `work` runs. Resolves with its result. */
  async fault<T>(work: () => Promise<T>): Promise<T> {
    const span = open()
    this.#faults.push(span)
    const result = await work()
    span.untilMs = machineMs()
    return result
  }

  /** Kills a gateway (SIGKILL); it stays down until {@link bringBack}. */
  async kill(gateway: ClusterGateway): Promise<void> {
    await this.#countTakeOvers()
    const { name } = gateway
    const down = open()
    const instant = open()
    this.#faults.push(down)
    this.#down.set(gateway, down)
    this.#excuses.push(
      {
        why: `direct callers of ${name} while it was down`,
        covers: (call) => call.via === name && overlaps(call, down),
      },
      {
        why: `POSTs that haproxy had given to ${name}`,
        covers: (call) =>
          call.via === 'balancer' && call.method === 'POST' && !isStated(call) && overlaps(call, instant),
      },
      {
        why: `answers of ${name} through haproxy that had begun`,
        covers: (call) =>
          call.via === 'balancer' && call.end === 'broken' && call.status !== 0 && overlaps(call, instant),
      },
    )
    await gateway.kill()
    instant.untilMs = machineMs()
  }

  /** Starts a gateway again that was killed. */
  async bringBack(gateway: ClusterGateway): Promise<void> {
    await gateway.start()
    const down = this.#down.get(gateway)
    if (down !== undefined) down.untilMs = machineMs()
  }

  /** Restarts a gateway in its own time, as an update does. */
  async restart(gateway: ClusterGateway): Promise<void> {
    await this.#countTakeOvers()
    const { name } = gateway
    const away = open()
    this.#faults.push(away)
    this.#excuses.push({
      why: `direct callers of ${name} while it was restarted`,
      covers: (call) => call.via === name && overlaps(call, away),
    })
    await gateway.restart()
    away.untilMs = machineMs()
  }

  /** How long it has lasted, milliseconds. */
  get ageMs(): number {
    return machineMs() - this.#startMs
  }

  /** Has the provider restarted, with functions that ran: cuts its connections, and refuses them for a while. */
  async withoutProvider(awayMs: number): Promise<void> {
    const { provider } = this.fleet
    const away = open()
    this.#excuses.push({
      why: 'calls of running functions while their provider was away',
      covers: (call) => call.status === 502 && isStated(call) && overlaps(call, away),
    })
    await provider.refuse()
    await pause(awayMs)
    await provider.accept()
    away.untilMs = machineMs()
  }

  /**
   * Ends the load, and resolves with the evidence once all calls have ended and the fleet is whole.
   * @param decidedAlone whether the fault has had gateways decide without Redis, and tell the others afterwards
   */
  async end(title: string, { decidedAlone = false } = {}): Promise<Evidence> {
    await this.load.stop()
    await this.fleet.isWhole()
    const { provider, records } = this.fleet
    const jumpMs = Math.round(Date.now() - machineMs() - this.#wallClockMs)
    const hasJumped = Math.abs(jumpMs) > clockJumpMs
    if (hasJumped) this.#faults.push({ fromMs: this.#startMs, untilMs: Infinity })
    const disturbed = [...this.#faults, ...this.fleet.alone()].map(({ fromMs, untilMs }) => ({
      fromMs: fromMs - aftermathMs,
      untilMs: untilMs + aftermathMs,
    }))
    return {
      title: hasJumped ? `${title} (the wall clock jumped by ${jumpMs} ms)` : title,
      startMs: this.#startMs,
      disturbed,
      calls: this.load.calls,
      woken: [...this.load.woken].map(([name, calledMs]) => ({
        name,
        calledMs,
        readyMs: provider.function(name).readyAtMs,
      })),
      scales: provider.scales.all.slice(this.#before.scales),
      reached: this.load.reached,
      records: {
        heard: records.heard - this.#before.heard,
        olderVersions: records.olderVersions.slice(this.#before.olderVersions),
        olderFences: records.olderFences.slice(this.#before.olderFences),
      },
      excuses: this.#excuses,
      decidedAlone,
      takeOvers: await this.#countTakeOvers(),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.fleet.restore()
    await this.load.stop()
  }

  /** To be called before a process ends, which takes its count with it. */
  async #countTakeOvers(): Promise<number> {
    for (const [pid, count] of await this.fleet.takeOvers()) this.#takeOversSeen.set(pid, count)
    const sums = [...this.#takeOversSeen].map(([pid, count]) => count - (this.#takeOversBefore.get(pid) ?? 0))
    return sums.reduce((sum, one) => sum + one, 0)
  }
}

interface Counts {
  readonly scales: number
  readonly heard: number
  readonly olderVersions: number
  readonly olderFences: number
}

function countsOf({ provider, records }: ChaosFleet): Counts {
  const { heard, olderVersions, olderFences } = records
  const [versions, fences] = [olderVersions.length, olderFences.length]
  return { scales: provider.scales.all.length, heard, olderVersions: versions, olderFences: fences }
}

function open(): OpenSpan & Span {
  return { fromMs: machineMs(), untilMs: Infinity }
}
