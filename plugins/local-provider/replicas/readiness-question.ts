import { replicaHost, type HttpClient } from '#core'

/** A status waits for it. */
const timeoutMs = 300
const maxLength = 1000
/** What a sidecar says of a function that is not ready, with or without a reason. */
const verdict = /^the function does not accept calls(?:: )?/

/**
 * Asks a sidecar what keeps its function from being ready.
 * @returns its words; empty when nothing does, or it does not say in time
 */
export async function whyNotReady(http: HttpClient, adminPort: number): Promise<string> {
  try {
    const url = new URL(`http://${replicaHost}:${adminPort}/readyz`)
    const answer = await http.request({ method: 'GET', url, timeoutMs })
    const text = (await answer.text()).trim()
    return answer.status === 503 ? text.replace(verdict, '').slice(0, maxLength) : ''
  } catch {
    return ''
  }
}
