import cluster from 'node:cluster'
import { ProcessLine } from './process-line.ts'
import { Worker } from './worker.ts'

// The supervisor decides when its workers stop; a terminal and systemd send their signals to all processes.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
// Without this, node:cluster ends a worker at once when its supervisor is gone.
cluster.worker?.once('disconnect', () => {
  if (cluster.worker !== undefined) cluster.worker.exitedAfterDisconnect = true
})
process.exit(await new Worker(new ProcessLine(process)).serve())
