import { findProgram } from '../../../deploy/cluster/find-program.ts'
import { FreePorts } from '../../../deploy/cluster/free-ports.ts'
import { Program } from '../../../deploy/cluster/program.ts'
import { RunFolder } from '../../../deploy/cluster/run-folder.ts'
import { balancerHere, balancerSpec } from '../../../deploy/cluster/specs.ts'

/** Name of the balancer on this machine; undefined when there is none. */
export function balancerName(): string | undefined {
  const kind = balancerHere()
  return findProgram(kind) === undefined ? undefined : kind
}

/** A balancer before gateways, with the configuration of `npm run cluster`. */
export class Balancer implements AsyncDisposable {
  readonly #program: Program
  readonly #folder: RunFolder

  private constructor(program: Program, folder: RunFolder) {
    this.#program = program
    this.#folder = folder
  }

  /** Resolves when it reaches a gateway. @throws Error when it does not start, or when there is none */
  static async start(gatewayUrls: readonly string[]): Promise<Balancer> {
    const folder = new RunFolder()
    const gateways = gatewayUrls.map((url, i) => ({ name: `gateway-${i + 1}`, port: Number(new URL(url).port) }))
    const settings = { port: await new FreePorts().take(), gateways }
    const context = { folder, env: { PATH: process.env['PATH'] ?? '' } }
    const watcher = { onLine: () => {}, onDeath: () => {} }
    const balancer = new Balancer(new Program(balancerSpec(context, settings, undefined), watcher), folder)
    try {
      await balancer.#program.start()
      return balancer
    } catch (error) {
      await balancer[Symbol.asyncDispose]()
      throw error
    }
  }

  get url(): string {
    return this.#program.url
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program.kill()
    this.#folder.remove()
  }
}
