// Sidecars for functions on Kubernetes: pilotlight inject --help
import { runInject } from './run-inject.ts'

process.exitCode = runInject(process.argv.slice(3))
