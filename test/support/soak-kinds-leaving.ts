import { once } from 'node:events'
import { type ClientRequest, request } from 'node:http'
import { connect } from 'node:net'
import { WebSocket } from 'ws'
import { mebibyte } from './soak-bytes.ts'
import { sleepingNames } from './soak-functions.ts'
import { type Ending, newId, right, type SoakKind, type SoakStage } from './soak-kind.ts'

const halfOfBody = Buffer.alloc(mebibyte / 2, 'half ')

/** Callers who leave. The act is over when the other side has noticed. */
export const leavingKinds: readonly SoakKind[] = [
  { name: 'leaves before the head', callers: 2, thinkMs: 60, act: leaveBeforeHead },
  { name: 'leaves inside the answer', callers: 1, thinkMs: 60, act: leaveInsideAnswer },
  { name: 'leaves inside the upload', callers: 1, thinkMs: 90, act: leaveInsideUpload },
  { name: 'leaves while held', callers: 2, thinkMs: 60, act: leaveWhileHeld },
  { name: 'leaves a WebSocket', callers: 1, thinkMs: 90, act: leaveWebSocket },
  { name: 'leaves a log', callers: 1, thinkMs: 200, act: leaveLog },
  { name: 'leaves inside its head', callers: 1, thinkMs: 200, act: leaveInsideHead },
]

async function leaveBeforeHead({ url, provider: { signals } }: SoakStage): Promise<Ending> {
  const id = newId()
  const [begun, gone] = [signals.wait(`begun ${id}`), signals.wait(`gone ${id}`)]
  const outgoing = quiet(request(`${url}/function/mute?id=${id}`, { agent: false }))
  outgoing.end()
  await begun
  outgoing.destroy()
  await gone
  return right
}

async function leaveInsideAnswer({ url, provider: { signals } }: SoakStage): Promise<Ending> {
  const id = newId()
  const gone = signals.wait(`gone ${id}`)
  const outgoing = quiet(request(`${url}/function/endless?id=${id}`, { agent: false }))
  outgoing.end()
  outgoing.once('response', (incoming) => {
    incoming.on('error', () => {})
    incoming.once('data', () => outgoing.destroy())
  })
  await gone
  return right
}

async function leaveInsideUpload({ url, provider }: SoakStage): Promise<Ending> {
  const id = newId()
  const { signals } = provider
  const [begun, gone] = [signals.wait(`begun ${id}`), signals.wait(`gone ${id}`)]
  const headers = id % 2 === 0 ? { 'Content-Length': String(2 * halfOfBody.byteLength) } : {}
  const outgoing = quiet(request(`${url}/function/mute?id=${id}`, { agent: false, method: 'POST', headers }))
  outgoing.write(halfOfBody)
  const answered = once(outgoing, 'response').catch(() => {})
  await Promise.race([begun, answered])
  outgoing.destroy()
  if (!provider.hasReached(id)) return { excused: 'met a connection that was being closed' }
  await gone
  return right
}

async function leaveWhileHeld({ url, provider: { signals } }: SoakStage, caller: number): Promise<Ending> {
  const name = sleepingNames[caller] ?? ''
  const asked = signals.wait(`status ${name}`)
  const outgoing = quiet(request(`${url}/function/${name}`, { agent: false }))
  const answered = Promise.withResolvers<void>()
  let status = 0
  outgoing.once('response', (incoming) => {
    status = incoming.statusCode ?? 0
    answered.resolve()
  })
  outgoing.end()
  await Promise.race([asked, answered.promise])
  outgoing.destroy()
  return status === 0 ? right : { wrong: `was answered ${status}` }
}

async function leaveWebSocket({ url, provider: { signals } }: SoakStage): Promise<Ending> {
  const id = newId()
  const gone = signals.wait(`gone ${id}`)
  const socket = new WebSocket(`${url.replace('http', 'ws')}/function/chat?id=${id}`, { perMessageDeflate: false })
  socket.on('error', () => {})
  await once(socket, 'open')
  socket.send('hello')
  await once(socket, 'message')
  socket.terminate()
  await gone
  return right
}

async function leaveLog({ url, provider: { signals } }: SoakStage): Promise<Ending> {
  const name = `log-${newId()}`
  const gone = signals.wait(`unfollowed ${name}`)
  const outgoing = quiet(request(`${url}/system/logs?name=${name}&follow=true`, { agent: false }))
  outgoing.end()
  outgoing.once('response', (incoming) => {
    incoming.on('error', () => {})
    incoming.once('data', () => outgoing.destroy())
  })
  await gone
  return right
}

async function leaveInsideHead({ url }: SoakStage): Promise<Ending> {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port) })
  socket.on('error', () => {})
  await once(socket, 'connect')
  const closed = once(socket, 'close')
  socket.write('GET /function/small HTTP/1.1\r\nHost: gate', () => socket.resetAndDestroy())
  await closed
  return right
}

function quiet(outgoing: ClientRequest): ClientRequest {
  return outgoing.on('error', () => {})
}
