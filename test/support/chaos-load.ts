import { Agent, type IncomingMessage, type ServerResponse } from 'node:http'
import { callOnce, rightAnswer, type CallRecord, type ChaosTarget, type Via } from './chaos-call.ts'
import { pause } from './eventually.ts'
import { machineMs } from './machine-clock.ts'
import type { ScriptedProvider } from './scripted-provider.ts'

/** Where calls can go. */
export interface Entrance {
  readonly via: Via
  /** Without a path. */
  readonly url: string
}

/** Longest a caller waits: the gateways' hold time-out and a margin, milliseconds. */
const patienceMs = 20_000
/** Pause of a steady caller between two calls, milliseconds. */
const thinkMs = 20
/** What the warm function does for a POST takes so long that a fault meets some of them there, milliseconds. */
const workMs = 100
/** Pause between two functions that are woken, milliseconds. */
const wakeEveryMs = 300
/** How long the woken functions take, milliseconds. */
const readyAfterMs = [50, 200, 400]
/** Callers of each woken function: through the balancer by method, and at each gateway itself. */
const callersOfCold = { GET: 6, POST: 3, direct: 3 }

let lastFunction = 0

/**
 * Load on a fleet: callers of a warm function that never stop, at every entrance, and one function after the other that is woken
 * by tens of callers at all entrances at once. Every call is recorded.
 */
export class ChaosLoad {
  readonly calls: CallRecord[] = []
  /** Functions that were woken, with the instant of their first call. */
  readonly woken = new Map<string, number>()
  /** How often each call that must not be repeated (POST) reached its function. */
  readonly reached = new Map<number, number>()
  readonly #provider: ScriptedProvider
  readonly #entrances: readonly Entrance[]
  readonly #underWay = new Set<Promise<unknown>>()
  readonly #warmName: string
  /** Of steady callers. They never pause for so long that a server closes a connection just as it is used. */
  readonly #agent = new Agent({ keepAlive: true })
  #isStopped = false

  constructor(provider: ScriptedProvider, entrances: readonly Entrance[]) {
    this.#provider = provider
    this.#entrances = entrances
    this.#warmName = this.#deploy('warm', { desired: 1 })
  }

  /** Begins. */
  start(): void {
    for (const entrance of this.#entrances) {
      const methods =
        entrance.via === 'balancer' ? (['GET', 'GET', 'POST', 'POST', 'POST', 'POST'] as const) : (['GET'] as const)
      for (const method of methods)
        void this.#track(this.#callAgain({ ...entrance, method, name: this.#warmName, agent: this.#agent }))
    }
    void this.#track(this.#wakeAgain())
  }

  /** Deploys a function at zero that nobody has called. @returns its name */
  deployCold(readyMs: number): string {
    return this.#deploy('cold', { desired: 0, readyAfterMs: readyMs })
  }

  /** Deploys a function that runs, without a word to the gateways. @returns its name */
  deployRunning(): string {
    return this.#deploy('running', { desired: 1 })
  }

  /** Has a function called at all entrances at once. Resolves with the calls when all have ended. */
  callEverywhere(name: string): Promise<readonly CallRecord[]> {
    this.woken.set(name, machineMs())
    const targets = this.#entrances.flatMap((entrance): readonly ChaosTarget[] =>
      entrance.via === 'balancer'
        ? [
            ...times(callersOfCold.GET, { ...entrance, method: 'GET' as const, name }),
            ...times(callersOfCold.POST, { ...entrance, method: 'POST' as const, name }),
          ]
        : times(callersOfCold.direct, { ...entrance, method: 'GET' as const, name }),
    )
    return Promise.all(targets.map((target) => this.#track(this.#call(target))))
  }

  /** Begins no new calls, and resolves when all have ended. */
  async stop(): Promise<void> {
    this.#isStopped = true
    while (this.#underWay.size > 0) await Promise.all(this.#underWay)
    this.#agent.destroy()
  }

  #deploy(kind: string, script: { desired: number; readyAfterMs?: number }): string {
    lastFunction += 1
    const name = `${kind}-${lastFunction}`
    this.#provider.add({ name, ...script }).handler = (request, response) => this.#answer(name, request, response)
    return name
  }

  async #callAgain(target: ChaosTarget): Promise<void> {
    while (!this.#isStopped) {
      await this.#call(target)
      await pause(thinkMs)
    }
  }

  async #wakeAgain(): Promise<void> {
    for (let wakes = 0; !this.#isStopped; wakes += 1) {
      void this.callEverywhere(this.deployCold(readyAfterMs[wakes % readyAfterMs.length] ?? 0))
      await pause(wakeEveryMs)
    }
  }

  async #call(target: ChaosTarget): Promise<CallRecord> {
    const record = await callOnce(target, patienceMs)
    this.calls.push(record)
    return record
  }

  #track<T>(work: Promise<T>): Promise<T> {
    this.#underWay.add(work)
    void work.finally(() => this.#underWay.delete(work))
    return work
  }

  #answer(name: string, request: IncomingMessage, response: ServerResponse): void {
    const id = Number(new URLSearchParams(request.url?.split('?')[1]).get('id'))
    const isPost = request.method === 'POST'
    if (isPost) this.reached.set(id, (this.reached.get(id) ?? 0) + 1)
    request.resume()
    response.setHeader('Content-Type', 'text/plain')
    const end = (): void => void response.end(rightAnswer(name, id))
    if (isPost && name === this.#warmName) setTimeout(end, workMs)
    else end()
  }
}

function times<T>(count: number, value: T): readonly T[] {
  return Array.from({ length: count }, () => value)
}
