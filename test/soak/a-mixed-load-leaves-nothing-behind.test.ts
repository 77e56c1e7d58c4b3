import { Agent } from 'node:http'
import { describe, expect, it } from 'vitest'
import { pause } from '../support/eventually.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'
import { ask } from '../support/soak-client.ts'
import { engine, isLong, legMs, legs, warmUpMs, workers } from '../support/soak-form.ts'
import { addSoakFunctions } from '../support/soak-functions.ts'
import { SoakGateway } from '../support/soak-gateway.ts'
import { expected } from '../support/soak-kind.ts'
import { allKinds, SoakLoad } from '../support/soak-load.ts'
import { SoakProvider } from '../support/soak-provider.ts'
import type { Sample } from '../support/soak-sample.ts'
import { SoakTally } from '../support/soak-tally.ts'
import { judge } from './oracle.ts'

const env = { PILOTLIGHT_WORKERS: String(workers), ...(engine !== '' && { PILOTLIGHT_ENGINE: engine }) }
const title = `${workers} worker(s), engine ${engine === '' ? 'by default' : engine}`
const longestMs = 1_500_000

/** How many names a table of the gateway takes, at most. Filling it takes too long for every day. */
const namesRemembered = isLong ? [10_000] : []
const callersOfNames = 16

describe('a gateway', () => {
  guardAgainstLeaks()

  it(
    'serves every call of a mixed load as it must, and has nothing more afterwards than before',
    async () => {
      await using provider = await SoakProvider.start()
      addSoakFunctions(provider)
      await using gateway = await SoakGateway.start({ provider, env })
      const tally = new SoakTally()
      const samples: Sample[] = []

      for (const loadMs of [warmUpMs, ...Array.from({ length: legs }, () => legMs)]) {
        const load = new SoakLoad({ gateway: gateway.process, provider, tally, kinds: allKinds })
        await pause(loadMs)
        await load.stop()
        samples.push(await gateway.sampleAtRest(tally.acts))
      }

      const { kinds } = tally
      const { violations, summary } = judge({ title, kinds, fewestActs: 10, samples, complaints: gateway.complaints })
      process.stdout.write(`${summary}\n`)
      expect(violations).toEqual([])
    },
    longestMs,
  )

  it.each(namesRemembered)(
    'keeps, of a flood of names of functions that do not exist, no more than tables of %i',
    async (size) => {
      await using provider = await SoakProvider.start()
      await using gateway = await SoakGateway.start({ provider, env: { ...env, PILOTLIGHT_WORKERS: '1' } })
      const tally = new SoakTally()
      const samples: Sample[] = []
      const agent = new Agent({ keepAlive: true })
      const callUntil = async (last: number): Promise<void> => {
        while (tally.acts < last) {
          const end = tally.begin('no such function')
          const url = `${gateway.process.url}/function/unknown-${tally.acts}`
          end(expected(await ask({ url, agent }), 404))
        }
      }

      // All tables are full from then on. One of them is emptied whenever it is full: it is half full each time.
      for (const last of [3.5, 4.5, 5.5].map((times) => times * size)) {
        await Promise.all(Array.from({ length: callersOfNames }, () => callUntil(last)))
        agent.destroy()
        samples.push(await gateway.sampleAtRest(tally.acts))
      }

      const { kinds } = tally
      const { violations, summary } = judge({
        title: 'a flood of names',
        kinds,
        fewestActs: size,
        samples,
        complaints: gateway.complaints,
      })
      process.stdout.write(`${summary}\n`)
      expect(violations).toEqual([])
    },
    longestMs,
  )
})
