import { BufferReply, GatewayError, type Reply, type SystemRequest, type SystemRoute } from '#core'
import { decodeAlerts } from './alert.ts'
import type { AlertScaler } from './alert-scaler.ts'

/** What the route works with. */
export interface AlertRouteDeps {
  readonly scaler: AlertScaler
  readonly defaultNamespace: string
  readonly maxBodyBytes: number
}

/**
 * Takes notifications of Alertmanager at `POST /system/alert`. 500 makes Alertmanager send one again, so it is the answer
 * when a function could not be scaled; the others of the same notification were scaled all the same.
 */
export function alertRoute({ scaler, defaultNamespace, maxBodyBytes }: AlertRouteDeps): SystemRoute {
  const handle = async (request: SystemRequest): Promise<Reply> => {
    const text = await bodyText(request, maxBodyBytes)
    if (text === undefined) return plainText(400, 'Unable to read alert.')
    const alerts = decodeAlerts(text, defaultNamespace)
    if (alerts === undefined) return plainText(400, 'Unable to parse alert, bad format.')
    const failures = await scaler.scaleAll(alerts, request.request.signal)
    return failures.length === 0 ? new BufferReply(200) : plainText(500, failures.join('\n'))
  }
  return { methods: ['POST'], path: '/system/alert', handle }
}

async function bodyText(request: SystemRequest, maxBytes: number): Promise<string | undefined> {
  try {
    return Buffer.from(await request.request.body.bytes(maxBytes)).toString('utf8')
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'body_too_large') return undefined
    throw error
  }
}

function plainText(status: number, text: string): Reply {
  return new BufferReply(status, { 'Content-Type': 'text/plain; charset=utf-8' }, text)
}
