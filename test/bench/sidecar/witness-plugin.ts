import { definePlugin, InstanceDirectory } from 'pilotlight'
import { z } from 'zod'
import { machineMs } from '../../support/machine-clock.ts'
import { writeStamp } from './stamps.ts'

/** By how much the wall clock is ahead of the machine's clock. */
const wallAheadMs = performance.timeOrigin + performance.now() - machineMs()

/**
 * For benchmarks: says when an instance began to take calls by its own word, within a millisecond (`serving`), when the gateway knew (`told`),
 * and when a call had passed everything that could hold it (`released`). The last plugin of the list, so that its layer is the innermost.
 */
export const plugin = definePlugin({
  name: 'witness',
  needs: { instances: InstanceDirectory },
  options: z.strictObject({}),
  setup({ deps: { instances } }) {
    const subscription = instances.subscribe(({ record, functionKey }, change) => {
      if (change !== 'taken' || record.phase !== 'ready') return
      writeStamp('serving', functionKey, record.revision / 1000 - wallAheadMs)
      writeStamp('told', functionKey)
    })
    return {
      invocation: {
        stage: 'place',
        handle: (exchange, next) => {
          writeStamp('released', exchange.route.identity.key)
          return next(exchange)
        },
      },
      async [Symbol.asyncDispose]() {
        subscription[Symbol.dispose]()
      },
    }
  },
})
