import { ask } from './soak-client.ts'
import { coldNames, rightAnswer } from './soak-functions.ts'
import { type Ending, expected, expectedOnce, newId, right, type SoakKind, type SoakStage, worst } from './soak-kind.ts'

const callersOfCold = ['GET', 'GET', 'GET', 'POST', 'POST'] as const

/** Calls of functions that are not running. */
export const coldKinds: readonly SoakKind[] = [
  { name: 'wakes a function', callers: coldNames.length, thinkMs: 100, act: wake },
  {
    name: 'never ready',
    callers: 1,
    thinkMs: 200,
    act: neverReady,
  },
  {
    name: 'cannot be scaled',
    callers: 1,
    thinkMs: 200,
    act: async ({ url, agent }) => expected(await ask({ url: `${url}/function/refused`, agent }), 503),
  },
]

/** 504 for who has waited; once it is known that the function does not become ready, 503 at once. */
async function neverReady({ url, agent }: SoakStage): Promise<Ending> {
  const answer = await ask({ url: `${url}/function/late`, agent })
  return expected(answer, answer.status === 503 ? 503 : 504)
}

/** Several callers wake a function, and it goes back to zero: by the gateway's API, or behind its back. */
async function wake(stage: SoakStage, caller: number): Promise<Ending> {
  const name = coldNames[caller] ?? ''
  const endings = await Promise.all(callersOfCold.map((method) => callCold(stage, name, method)))
  return worst([...endings, await toZero(stage, name)])
}

async function callCold(stage: SoakStage, name: string, method: 'GET' | 'POST'): Promise<Ending> {
  const id = newId()
  const { url, agent } = stage
  const body = method === 'POST' ? { body: `body of ${id}` } : {}
  const answer = await ask({ url: `${url}/function/${name}?id=${id}`, method, agent, ...body })
  return method === 'POST' ? expectedOnce(stage, answer, id) : expected(answer, 200, rightAnswer(id))
}

async function toZero({ url, agent, provider }: SoakStage, name: string): Promise<Ending> {
  if (newId() % 2 === 0) {
    provider.scripted.function(name).vanish()
    return right
  }
  const body = JSON.stringify({ serviceName: name, replicas: 0 })
  return expected(await ask({ url: `${url}/system/scale-function/${name}`, method: 'POST', body, agent }), 202)
}
