import cluster from 'node:cluster'
import { workerCommand } from './workers/worker-command.ts'

// A worker gets its configuration from its supervisor, and needs neither arguments nor files.
if (cluster.isWorker && process.argv[2] === workerCommand) await import('./workers/worker-main.ts')
else await import('./launch.ts')
