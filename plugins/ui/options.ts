import { z } from 'zod'

/** Options of the page: none yet, so anything given is a mistake. */
export const uiOptions = z.strictObject({})
