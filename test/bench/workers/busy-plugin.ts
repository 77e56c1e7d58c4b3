import { createHash } from 'node:crypto'
import { definePlugin } from 'pilotlight'
import { z } from 'zod'

/** For benchmarks: makes every call cost CPU time, as plugins that check signatures or rewrite bodies do. */
export const plugin = definePlugin({
  name: 'busy',
  needs: {},
  options: z.strictObject({
    /** Bytes that are hashed for each call. */
    bytes: z.int().min(0),
  }),
  setup({ options }) {
    const data = Buffer.alloc(options.bytes, 'x')
    return {
      invocation: {
        stage: 'identify',
        handle: (exchange, next) => {
          createHash('sha256').update(data).digest()
          return next(exchange)
        },
      },
    }
  },
})
