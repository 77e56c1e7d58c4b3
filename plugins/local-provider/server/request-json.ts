import type { z } from 'zod'
import type { SystemRequest } from '#core'
import { describeFaults } from '../functions/deployment.ts'
import { Refusal } from '../refusal.ts'

/** Largest body of a management call. */
const maxBodyBytes = 2 * 1024 * 1024

/**
 * Reads the JSON body of a management call.
 * @throws Refusal 400 when it is no JSON, GatewayError `body_too_large`
 */
export async function requestJson({ request }: SystemRequest): Promise<unknown> {
  const bytes = await request.body.bytes(maxBodyBytes)
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    throw new Refusal(400, 'the body is no JSON')
  }
}

/** As {@link requestJson}, decoded. @throws Refusal 400 with every fault */
export async function decodedJson<T>(request: SystemRequest, schema: z.ZodType<T>): Promise<T> {
  const decoded = schema.safeParse(await requestJson(request))
  if (decoded.success) return decoded.data
  throw new Refusal(400, describeFaults(decoded.error))
}
