import { Agent, get } from 'node:http'
import { functionName } from '../many-functions.ts'

/** The statuses that every function has answered. 404 and 503 are left out: gateways ask the provider what they mean. */
export const statuses = [200, 202, 400, 429, 500] as const

const atATime = 20

/** Calls each of so many functions of upstream.ts once for each of {@link statuses}, so that every series is there. */
export async function warmSeries(gatewayUrl: string, functions: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: atATime })
  const urls = Array.from({ length: functions }, (_, i) =>
    statuses.map((status) => ({ url: `${gatewayUrl}/function/${functionName(i)}?${status}`, status })),
  ).flat()
  const callers = Array.from({ length: atATime }, async (_, caller) => {
    for (let i = caller; i < urls.length; i += atATime) {
      const { url = '', status } = urls[i] ?? {}
      const answered = await call(url, agent)
      if (answered !== status) throw new Error(`${url} was answered ${answered}`)
    }
  })
  await Promise.all(callers)
  agent.destroy()
}

function call(url: string, agent: Agent): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent }, (response) => {
      response.resume()
      response.once('error', reject)
      response.once('end', () => resolve(response.statusCode))
    })
    request.once('error', reject)
  })
}
