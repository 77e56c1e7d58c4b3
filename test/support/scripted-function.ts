import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { machineMs } from './machine-clock.ts'

/** What a scripted provider shall know of a function, as plain data that can be sent to another process. */
export interface FunctionScript {
  readonly name: string
  /** Default empty. */
  readonly namespace?: string
  /** Desired replicas at the start. Default 1. */
  readonly desired?: number
  /** Default: as many as desired. */
  readonly available?: number
  /** Milliseconds from the scale call to readiness; -1 is never. Default 0. */
  readonly readyAfterMs?: number
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}

/** Answers an invocation. */
export type FunctionHandler = (request: IncomingMessage, response: ServerResponse) => void

/** Answers an upgrade request on the bare socket. */
export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

/** One function of a scripted provider: its replicas, and what it answers. */
export class ScriptedFunction implements Disposable {
  readonly name: string
  readonly namespace: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  /** Milliseconds from the scale call to readiness; -1 is never. */
  readyAfterMs: number
  desired: number
  available: number
  /** Instant of the machine's clock at which `available` last became more than 0 by a scale call; 0 before. */
  readyAtMs = 0
  /** How many of the next invocations find no endpoint although the function is reported ready. */
  missingEndpoints = 0
  handler: FunctionHandler = answerHello
  upgrade: UpgradeHandler | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(script: FunctionScript) {
    this.name = script.name
    this.namespace = script.namespace ?? ''
    this.desired = script.desired ?? 1
    this.available = script.available ?? this.desired
    this.readyAfterMs = script.readyAfterMs ?? 0
    this.labels = script.labels ?? {}
    this.annotations = script.annotations ?? {}
  }

  /** The function as the provider API shows it. */
  status(): Record<string, unknown> {
    return {
      name: this.name,
      namespace: this.namespace,
      image: `example/${this.name}:1`,
      replicas: this.desired,
      availableReplicas: this.available,
      invocationCount: 0,
      labels: this.labels,
      annotations: this.annotations,
      createdAt: '2026-01-01T00:00:00Z',
    }
  }

  /** Wants `replicas` from now on; they are ready `readyAfterMs` later. */
  scaleTo(replicas: number): void {
    this.desired = replicas
    if (replicas === 0) this.available = 0
    if (replicas === 0 || this.available > 0 || this.readyAfterMs < 0 || this.#timer !== undefined) return
    this.#timer = setTimeout(() => this.becomeReady(), this.readyAfterMs)
  }

  /** Makes all desired replicas (at least one) available now. */
  becomeReady(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.desired = Math.max(1, this.desired)
    this.available = this.desired
    this.readyAtMs = machineMs()
  }

  /** Takes all replicas away at once, as an operator does behind the gateway's back. */
  vanish(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.desired = 0
    this.available = 0
  }

  /** Whether an invocation finds a replica now. Uses up one of `missingEndpoints`. */
  takesInvocation(): boolean {
    if (this.available === 0) return false
    if (this.missingEndpoints === 0) return true
    this.missingEndpoints -= 1
    return false
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
  }
}

function answerHello(request: IncomingMessage, response: ServerResponse): void {
  request.resume()
  response.setHeader('Content-Type', 'text/plain')
  response.end('hello\n')
}
