// A sidecar for tests: reports as a real one, answers every call with its instance, and has the fault that the variable `fault` names.
import { spawn } from 'node:child_process'
import { createServer } from 'node:http'
import type { InstancePhase } from '../../../../core/instances/instance-record.ts'
import { reportsPath } from '../../../../core/instances/instance-wire.ts'
import { signOwnReport } from '../../../../core/instances/signed-report.ts'
import { ProcessRecords } from '../../../../core/processes/process-records.ts'

const {
  fault = '',
  port = '',
  OPENFAAS_NAME: name = '',
  OPENFAAS_NAMESPACE: namespace = '',
  PILOTLIGHT_INSTANCE_ID: id = '',
  PILOTLIGHT_INSTANCE_SECRET: secret = '',
  PILOTLIGHT_GATEWAYS: gateway = '',
  PILOTLIGHT_PROCESS_RECORDS: folder = '',
} = process.env
let revision = Date.now() * 1000

/** What of a record is a lie, by the name of the fault. */
const lies: Readonly<Record<string, object>> = {
  'of-another': { id: 'hello-00000000' },
  'another-name': { name: 'somebody' },
  'another-port': { port: 1 },
  'another-address': { address: '127.0.0.2' },
}

async function report(phase: InstancePhase): Promise<void> {
  revision += 1
  const record = {
    id,
    name,
    namespace,
    address: '127.0.0.1',
    port: Number(port),
    adminPort: 0,
    secure: false,
    limit: 0,
    phase,
    revision,
    ...lies[fault],
  }
  const load = { inFlight: 0, queued: 0, streams: 0, idleForMs: 0 }
  const text = signOwnReport({ record, load, sentAtMs: Date.now() }, fault === 'another-key' ? 'not it' : secret)
  const answer = await fetch(new URL(reportsPath.slice(1), gateway), { method: 'POST', body: text })
  process.stdout.write(`${phase}: ${answer.status}\n`)
}

if (fault === 'exits') {
  process.stderr.write('told something wrong\n')
  process.exit(7)
}
const server = createServer((_, response) => {
  if (fault === 'refuses') response.writeHead(503, { 'x-pilotlight-refusal': 'full' }).end()
  else response.end(id)
})
server.listen(Number(port), '127.0.0.1', () => {
  // A function that outlives everybody who does not look for it.
  const child = spawn('sleep', ['71'], { detached: true, stdio: 'ignore' })
  new ProcessRecords(folder).add(child.pid ?? 0)
  process.on('SIGTERM', () => {
    if (fault === 'stays') return
    child.kill()
    void report('leaving').then(() => process.exit(0))
  })
  process.on('SIGUSR2', () => void report(fault === 'leaves' ? 'leaving' : 'ready'))
  process.stdin.resume().once('end', () => {
    child.kill()
    process.exit(0)
  })
  void report('ready')
})
