import { PartLeftOut, type Say } from '../part.ts'
import { hasRedis } from '../fleet/measure-fleet.ts'
import { type HeartbeatsPlan, measureHeartbeats } from './heartbeats.ts'
import { type DirectoryPlan, measureDirectory } from './run-directory.ts'

/** What to measure of many instances, of which there is nothing but what they say. */
export interface InstancesPlan {
  readonly directory: DirectoryPlan
  readonly heartbeats: HeartbeatsPlan
}

/** Measures what knowing many instances costs a gateway, and what their heartbeats cost the Redis. */
export async function measureInstances({ directory, heartbeats }: InstancesPlan, say: Say): Promise<void> {
  say(`\n## Instances: the directory of one gateway\n`)
  say(await measureDirectory(directory))
  if (!hasRedis()) throw new PartLeftOut('heartbeats need redis-server (Debian package redis-server)')
  const { instances, seconds } = heartbeats
  say(`\n### Heartbeats of ${instances} instances, a third of 10 s between two of one, ${seconds} s each\n`)
  say(await measureHeartbeats(heartbeats))
}
