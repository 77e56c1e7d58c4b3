// Several gateways on this machine: npm run cluster -- --help
import { Cluster } from './cluster.ts'
import type { Death } from './cluster-options.ts'
import { decideCluster, type ClusterSettings } from './cluster-settings.ts'
import { describeCluster } from './describe-cluster.ts'
import { stopSignals } from './stop-signals.ts'

const decision = decideCluster(process.argv.slice(2))
if (decision.action === 'exit') {
  process.stdout.write(decision.stdout)
  process.stderr.write(decision.stderr)
  process.exitCode = decision.code
} else {
  process.exitCode = await run(decision.settings)
  // Whatever is still open must not keep a stopped cluster alive.
  process.exit()
}

/** @returns the exit code */
async function run({ options, isVerbose }: ClusterSettings): Promise<number> {
  const signals = stopSignals()
  let cluster: Cluster
  try {
    cluster = await Cluster.plan({
      ...options,
      env: process.env,
      onDeath: tellDeath,
      ...(isVerbose ? { onLine: (program, line) => say(`${program.padEnd(9)} | ${line}`) } : {}),
    })
  } catch (error) {
    complain(error)
    return 1
  }
  const stopped = signals.first.then(() => 'stop' as const)
  void signals.second.then(() => cluster[Symbol.asyncDispose]().finally(() => process.exit(1)))
  try {
    if ((await Promise.race([cluster.start(), stopped])) !== 'stop') say(describeCluster(cluster))
  } catch (error) {
    complain(error)
    say(`logs: ${cluster.folder.path}/logs`)
    return 1
  }
  const failure = await Promise.race([cluster.failed, stopped])
  return failure === 'stop' ? stop(cluster) : giveUp(cluster, failure)
}

async function stop(cluster: Cluster): Promise<number> {
  say('stopping: the balancer, then the gateways, the provider, Redis; once more ends all at once')
  await cluster.stop()
  await cluster[Symbol.asyncDispose]()
  say('stopped')
  return 0
}

async function giveUp(cluster: Cluster, reason: string): Promise<number> {
  complain(new Error(`the cluster ends: ${reason}; logs: ${cluster.folder.path}/logs`))
  await cluster.stop()
  return 1
}

function tellDeath({ program, how, lastLines }: Death): void {
  const shown = lastLines.map((line) => `\n  ${line}`).join('')
  complain(new Error(`${program} ended by itself (${how})${shown === '' ? '' : `; its last lines:${shown}`}`))
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

function complain(error: unknown): void {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
}
