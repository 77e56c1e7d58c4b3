import { durationOption } from '#core'
import { z } from 'zod'

/** Options of basic auth; whether it is on, and where its files are, is said by `basicAuth` and `secretMountPath`. */
export const authOptions = z.strictObject({
  /** How often, at most, the files are looked at for a change. Go text or seconds; 0 reads them at start only. Default 1s. */
  reloadInterval: durationOption.prefault('1s'),
})
