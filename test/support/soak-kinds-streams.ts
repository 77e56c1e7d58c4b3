import { once } from 'node:events'
import { WebSocket } from 'ws'
import { ask } from './soak-client.ts'
import { rightAnswer, streamLength } from './soak-functions.ts'
import { type Ending, expected, newId, right, type SoakKind, type SoakStage } from './soak-kind.ts'
import { logLength } from './soak-log-source.ts'

const chatLength = 5

/** Calls that last, and end by themselves. */
export const streamKinds: readonly SoakKind[] = [
  {
    name: 'server-sent events',
    callers: 2,
    thinkMs: 60,
    act: async ({ url, agent }) => {
      const id = newId()
      const answer = await ask({ url: `${url}/function/events?id=${id}`, agent })
      return expected(
        answer,
        200,
        repeated((index) => `id: ${index}\ndata: ${rightAnswer(id)}\n\n`),
      )
    },
  },
  {
    name: 'NDJSON',
    callers: 1,
    thinkMs: 60,
    act: async ({ url, agent }) => {
      const id = newId()
      const answer = await ask({ url: `${url}/function/lines?id=${id}`, agent })
      return expected(
        answer,
        200,
        repeated((index) => `${JSON.stringify({ index, text: rightAnswer(id) })}\n`),
      )
    },
  },
  {
    name: 'log of a function',
    callers: 1,
    thinkMs: 200,
    act: async ({ url, agent }) => {
      const answer = await ask({ url: `${url}/system/logs?name=small`, agent })
      const lines = answer.body.toString().split('\n').length - 1
      return lines === logLength ? expected(answer, 200) : { wrong: `${answer.status} with ${lines} lines` }
    },
  },
  { name: 'WebSocket', callers: 2, thinkMs: 70, act: chat },
]

async function chat({ url }: SoakStage): Promise<Ending> {
  const id = newId()
  const socket = new WebSocket(`${url.replace('http', 'ws')}/function/chat?id=${id}`, { perMessageDeflate: false })
  await once(socket, 'open')
  for (let index = 0; index < chatLength; index += 1) {
    const answered = once(socket, 'message')
    socket.send(`${rightAnswer(id)}, ${index}`)
    const [data] = (await answered) as [Buffer] // as `ws` has it
    if (data.toString() !== `${rightAnswer(id)}, ${index}`) return { wrong: `message "${data.toString()}"` }
  }
  const closed = once(socket, 'close')
  socket.close(1000)
  const [code] = (await closed) as [number] // as `ws` has it
  return code === 1000 ? right : { wrong: `closed with code ${code}` }
}

function repeated(text: (index: number) => string): string {
  return Array.from({ length: streamLength }, (_, index) => text(index)).join('')
}
