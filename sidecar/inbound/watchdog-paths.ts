import { BufferReply, type GatewayRequest, type InstancePhase, type Reply } from '#core/lean'

/**
 * Answers `/_/health` and `/_/ready` as OpenFaaS's watchdogs do, because probes of existing deployments ask there: an instance that leaves
 * is not healthy, one that does not take calls is not ready. Undefined for every other path; a query changes nothing.
 */
export function watchdogAnswer({ target }: GatewayRequest, phase: InstancePhase): Reply | undefined {
  if (!target.startsWith('/_/')) return undefined
  const [path] = target.split('?', 1)
  if (path === '/_/health') return say(phase !== 'leaving')
  return path === '/_/ready' ? say(phase === 'ready') : undefined
}

function say(isFine: boolean): Reply {
  return isFine ? new BufferReply(200, { 'Content-Type': 'text/plain; charset=utf-8' }, 'OK') : new BufferReply(503)
}
