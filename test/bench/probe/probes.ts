import { connect } from 'node:net'
import type { BenchProcessOptions } from '../bench-process.ts'
import { OwnFolder } from '../own-folder.ts'
import type { Figures, Question } from './question.ts'

const entry = new URL('probe.ts', import.meta.url).href

/** Processes with a probe inside (probe.ts): how to start them, and what they say. */
export class Probes implements Disposable {
  readonly #folder = new OwnFolder('probe')

  /** What a Node process must be started with. @param name of the contender */
  optionsFor(name: string): BenchProcessOptions {
    return { env: { BENCH_PROBE: this.#pathFor(name) }, nodeFlags: ['--import', entry] }
  }

  async figures(name: string): Promise<Figures> {
    return (await this.ask(name, 'figures')) as Figures // what probe.ts answers
  }

  /** Asks one process. @throws Error when it does not answer */
  ask(name: string, question: Question): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const pieces: Buffer[] = []
      const socket = connect(this.#pathFor(name), () => socket.write(question))
      socket.on('data', (piece: Buffer) => pieces.push(piece))
      socket.once('error', reject)
      socket.once('end', () => {
        const text = Buffer.concat(pieces).toString()
        if (text === '') reject(new Error(`${name} did not answer "${question}"`))
        else resolve(JSON.parse(text))
      })
    })
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]()
  }

  #pathFor(name: string): string {
    return this.#folder.fileNamed(`${name.replaceAll(/\W+/g, '-')}.sock`)
  }
}
