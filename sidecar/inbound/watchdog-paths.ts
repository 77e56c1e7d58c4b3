import { BufferReply, type GatewayRequest, type InstancePhase, type Reply } from '#core/lean'

/**
 * Answers `/_/health` and `/_/ready` as OpenFaaS's watchdogs do, because probes of existing deployments ask there: an instance that leaves
 * is not healthy, one that does not take calls is not ready. Undefined for every other path.
 */
export function watchdogAnswer({ target }: GatewayRequest, phase: InstancePhase): Reply | undefined {
  if (target === '/_/health') return say(phase !== 'leaving')
  return target === '/_/ready' ? say(phase === 'ready') : undefined
}

function say(isFine: boolean): Reply {
  return isFine ? new BufferReply(200, { 'Content-Type': 'text/plain; charset=utf-8' }, 'OK') : new BufferReply(503)
}
