// A provider in a process of its own, for tests that kill it. Prints where it listens and its credentials as JSON.
import { ProviderHarness } from './harness.ts'

const [directory = ''] = process.argv.slice(2)
const harness = new ProviderHarness({ stateDirectory: directory })
await harness.begin()
const { url, authorization } = harness.provider.endpoint
process.stdout.write(`${JSON.stringify({ url: url.origin, authorization })}\n`)
process.on('SIGTERM', () => void harness[Symbol.asyncDispose]())
