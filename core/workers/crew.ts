import cluster from 'node:cluster'
import { openStandardOutput } from '../telemetry/log-destination.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { Clock } from '../time/clock.ts'
import type { Random } from '../time/random.ts'
import { OutputRelay } from './output-relay.ts'
import { workerCommand } from './worker-command.ts'
import type { WorkerStart } from './worker-messages.ts'
import { WorkerProcess } from './worker-process.ts'
import { WorkerSlot } from './worker-slot.ts'

/** What becomes of workers. */
export interface CrewObserver {
  /** A process was forked; it has said nothing yet. */
  joined(worker: WorkerProcess): void
  /** A worker has finished what was under way, and closes next. */
  leaving(worker: WorkerProcess): Promise<void>
  /** A process has ended. */
  ended(worker: WorkerProcess): void
  /** A worker that served ended by itself. */
  lost(worker: WorkerProcess): void
  /** A worker ended whose place another one has taken. */
  replaced(worker: WorkerProcess): void
}

/** With what the next worker starts, as things stand. */
export interface WorkerOrders extends Omit<WorkerStart, 'worker'> {
  /** How long a worker whose place is taken goes on, so that its clients can leave its connections. */
  readonly quietMs: number
  readonly graceMs: number
}

/** What a {@link Crew} works with. */
export interface CrewDeps {
  readonly count: number
  readonly orders: () => WorkerOrders
  readonly observer: CrewObserver
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
}

/** The worker processes of one gateway. There is one crew in a process: node:cluster is global. */
export class Crew implements AsyncDisposable {
  readonly #deps: CrewDeps
  readonly #slots: readonly WorkerSlot<WorkerProcess>[]
  /** All processes, those that finish their last calls included. */
  readonly #processes = new Set<WorkerProcess>()
  readonly #output = new OutputRelay(openStandardOutput())
  readonly #errors = new OutputRelay(process.stderr)
  readonly #onExit = (): void => this.#killAtExit()
  readonly #onCrash = (): void => void (this.#hasCrashed = true)
  #port = 0
  #hasCrashed = false
  #isStopping = false

  constructor(deps: CrewDeps) {
    this.#deps = deps
    this.#slots = Array.from({ length: deps.count }, () => this.#slot())
    process.on('exit', this.#onExit)
    process.on('uncaughtExceptionMonitor', this.#onCrash)
  }

  /** The workers that serve. */
  get serving(): readonly WorkerProcess[] {
    return this.#slots.flatMap(({ current }) => current ?? [])
  }

  /**
   * Starts the workers, the first one alone, so that what keeps all of them from serving is said once.
   * @returns the port that they share
   * @throws the reason of the first one that cannot serve
   */
  async start(): Promise<number> {
    // One listening socket, from which each worker accepts when it has time: what one leaves there, another takes.
    cluster.schedulingPolicy = cluster.SCHED_NONE
    cluster.setupPrimary({ args: [workerCommand], silent: true, serialization: 'advanced' })
    const [first, ...others] = this.#slots
    await first?.fill()
    await Promise.all(others.map((slot) => this.#fillOrRetry(slot)))
    return this.#port
  }

  /** Replaces the workers one after the other. @throws the reason of a new one that cannot serve; the rest is left as it is */
  async roll(): Promise<void> {
    for (const slot of this.#slots) {
      if (this.#isStopping) throw new Error('the workers are being stopped')
      await slot.roll()
    }
  }

  /** Nobody is replaced any more; the workers that serve go on. */
  announceDraining(): void {
    this.#stop()
    for (const worker of this.#processes) worker.announceDraining()
  }

  /** Resolves when what was under way is finished; what is left is cut when `deadline` aborts. */
  async drain(deadline: AbortSignal): Promise<void> {
    this.#stop()
    const workers = [...this.#processes]
    const cut = (): void => workers.forEach((worker) => worker.cut())
    if (deadline.aborted) cut()
    else deadline.addEventListener('abort', cut, { once: true })
    await Promise.all(workers.map((worker) => worker.drain(this.#deps.orders().graceMs)))
    deadline.removeEventListener('abort', cut)
  }

  /** Ends all workers. @throws Error when one could not close everything, or had to be killed */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop()
    const closed = await Promise.all([...this.#processes].map((worker) => worker.close()))
    process.off('exit', this.#onExit)
    process.off('uncaughtExceptionMonitor', this.#onCrash)
    if (closed.includes(false)) throw new Error('a worker could not close everything, or had to be killed')
  }

  #stop(): void {
    this.#isStopping = true
    for (const slot of this.#slots) slot.stop()
  }

  #slot(): WorkerSlot<WorkerProcess> {
    return new WorkerSlot({
      ...this.#deps,
      launch: () => this.#launch(),
      retire: (worker) => this.#retire(worker),
      onLost: (worker) => this.#deps.observer.lost(worker),
    })
  }

  /** One that cannot serve at first is tried again while the others serve. */
  async #fillOrRetry(slot: WorkerSlot<WorkerProcess>): Promise<void> {
    try {
      await slot.fill()
    } catch (err) {
      this.#deps.log.error('a worker could not be started', { err })
      void slot.refill()
    }
  }

  async #launch(): Promise<WorkerProcess> {
    const { clock, log, orders } = this.#deps
    if (this.#isStopping) throw new Error('the workers are being stopped')
    const worker = new WorkerProcess(cluster.fork(), clock)
    this.#adopt(worker)
    try {
      await worker.ready()
      this.#accept(await worker.start(this.#onKnownPort(orders())))
      log.info('worker serves', { worker: worker.number, pid: worker.pid })
      return worker
    } catch (error) {
      await worker.close()
      throw error
    }
  }

  /** Any free port was taken by the first worker; when all are gone, the socket is gone with them, and must be opened anew. */
  #onKnownPort(orders: WorkerOrders): WorkerOrders {
    if (this.serving.length > 0 || this.#port === 0) return orders
    return { ...orders, config: { ...orders.config, port: this.#port } }
  }

  /** @throws Error for a worker that has got a socket of its own, because the others died while it started */
  #accept(port: number): void {
    if (this.#port !== 0 && port !== this.#port) throw new Error('the port of the workers was lost')
    this.#port = port
  }

  #adopt(worker: WorkerProcess): void {
    const { observer } = this.#deps
    this.#processes.add(worker)
    const [output, errors] = worker.outputs
    if (output !== null) this.#output.relay(output)
    if (errors !== null) this.#errors.relay(errors)
    observer.joined(worker)
    void worker.ended.then(() => {
      this.#processes.delete(worker)
      observer.ended(worker)
    })
  }

  async #retire(worker: WorkerProcess): Promise<void> {
    const { observer, orders, log, clock } = this.#deps
    const { quietMs, graceMs } = orders()
    worker.announceDraining()
    await clock.sleep(quietMs)
    await worker.drain(graceMs)
    await observer.leaving(worker)
    if (!(await worker.close())) log.warn('a replaced worker had to be killed', { worker: worker.number })
    observer.replaced(worker)
  }

  /** Told twice to stop, this process exits at once, and so shall its workers; when it crashes, they finish their calls. */
  #killAtExit(): void {
    if (!this.#hasCrashed) for (const worker of this.#processes) worker.kill()
  }
}
