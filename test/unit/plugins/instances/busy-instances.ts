import { FakeSidecar } from './fake-sidecar.ts'
import { Placing } from './placing.ts'

/** Instances with a limit of 1, all of them busy with a call of this gateway. */
export async function busyInstances(
  count: number,
  placing = new Placing(),
): Promise<{ placing: Placing; sidecars: readonly FakeSidecar[] }> {
  const sidecars = Array.from({ length: count }, (_, i) => new FakeSidecar(`instance-${i + 1}`, 1))
  await placing.report(sidecars)
  await placing.sendMany(count)
  return { placing, sidecars }
}

/** Instances with a limit of 1 that other gateways keep busy. */
export async function fullOfOthers(placing: Placing, count: number): Promise<readonly FakeSidecar[]> {
  const sidecars = Array.from({ length: count }, (_, i) => new FakeSidecar(`instance-${i + 1}`, 1))
  for (const one of sidecars) one.foreign = 1
  await placing.report(sidecars)
  return sidecars
}
