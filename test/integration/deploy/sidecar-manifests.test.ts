import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { eventually, pause } from '../../support/eventually.ts'
import { killOnExit } from '../../support/kill-on-exit.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { runNode } from '../../support/run-process.ts'
import { projectRoot } from '../../support/source-files.ts'
import { temporaryFile } from '../../support/temporary-file.ts'

guardAgainstLeaks()

// Fields that Kubernetes has, of those objects that the manifests use: a misspelt one is refused.
const port = z.union([z.int(), z.string().max(15)])
const hook = z.strictObject({
  httpGet: z.strictObject({ path: z.string(), port }).optional(),
  exec: z.strictObject({ command: z.array(z.string()) }).optional(),
})
const probe = z.strictObject({
  httpGet: z.strictObject({ path: z.string(), port }),
  periodSeconds: z.int(),
  failureThreshold: z.int(),
})
const amounts = z.partialRecord(z.enum(['cpu', 'memory']), z.string().regex(/^\d+(m|Mi)$/))
const container = z.strictObject({
  name: z.string(),
  image: z.string(),
  restartPolicy: z.literal('Always').optional(),
  command: z.array(z.string()).optional(),
  env: z.array(
    z.strictObject({
      name: z.string(),
      value: z.string().optional(),
      valueFrom: z.strictObject({ fieldRef: z.strictObject({ fieldPath: z.string() }) }).optional(),
    }),
  ),
  ports: z.array(
    z.strictObject({ name: z.string().max(15), containerPort: z.int(), protocol: z.literal('TCP').optional() }),
  ),
  livenessProbe: probe,
  readinessProbe: probe,
  lifecycle: z.strictObject({ preStop: hook }).optional(),
  resources: z.strictObject({ requests: amounts, limits: amounts.optional() }),
  securityContext: z
    .strictObject({
      runAsNonRoot: z.literal(true),
      runAsUser: z.int(),
      allowPrivilegeEscalation: z.literal(false),
      readOnlyRootFilesystem: z.literal(true),
      capabilities: z.strictObject({ drop: z.tuple([z.literal('ALL')]) }),
    })
    .optional(),
  volumeMounts: z
    .array(z.strictObject({ name: z.string(), mountPath: z.string(), readOnly: z.boolean().optional() }))
    .optional(),
})
const texts = z.record(z.string(), z.string())
const metadata = z.strictObject({
  name: z.string(),
  namespace: z.string(),
  labels: texts,
  annotations: texts.optional(),
})
const deployment = z.strictObject({
  apiVersion: z.literal('apps/v1'),
  kind: z.literal('Deployment'),
  metadata,
  spec: z.strictObject({
    replicas: z.int(),
    selector: z.strictObject({ matchLabels: texts }),
    strategy: z.strictObject({ rollingUpdate: z.strictObject({ maxUnavailable: z.int(), maxSurge: z.int() }) }),
    template: z.strictObject({
      metadata: z.strictObject({ labels: texts, annotations: texts }),
      spec: z.strictObject({
        enableServiceLinks: z.boolean(),
        initContainers: z.array(container).optional(),
        containers: z.array(container),
        terminationGracePeriodSeconds: z.int(),
        volumes: z.array(
          z.strictObject({
            name: z.string(),
            secret: z
              .strictObject({
                secretName: z.string(),
                items: z.array(z.strictObject({ key: z.string(), path: z.string() })),
              })
              .optional(),
            emptyDir: z.strictObject({ sizeLimit: z.string() }).optional(),
          }),
        ),
      }),
    }),
  }),
})
const service = z.strictObject({
  apiVersion: z.literal('v1'),
  kind: z.literal('Service'),
  metadata,
  spec: z.strictObject({
    selector: texts,
    ports: z.array(z.strictObject({ name: z.string(), port: z.int(), targetPort: port })),
  }),
})

type Container = z.infer<typeof container>

function manifests(form: string) {
  const text = readFileSync(join(projectRoot, `deploy/kubernetes/sidecar-${form}.yaml`), 'utf8')
  const [first, second] = parseAllDocuments(text, { strict: true, uniqueKeys: true }).map(
    (one) => one.toJS() as unknown,
  )
  const { metadata: about, spec } = deployment.parse(first)
  const pod = spec.template.spec
  const all = [...(pod.initContainers ?? []), ...pod.containers]
  const sidecar = all.find(({ name }) => name === 'pilotlight')
  const ofFunction = pod.containers.find(({ name }) => name === about.name)
  if (sidecar === undefined || ofFunction === undefined) throw new Error('a container is missing')
  return { spec, pod, all, sidecar, ofFunction, service: service.parse(second) }
}

function environmentOf({ env }: Container): Record<string, string> {
  const fields: Record<string, string> = { 'metadata.namespace': 'openfaas-fn', 'status.podIP': '10.1.2.3' }
  return Object.fromEntries(
    env.map(({ name, value, valueFrom }) => [name, value ?? fields[valueFrom?.fieldRef.fieldPath ?? ''] ?? '']),
  )
}

/** The arguments of Node.js, with the program where it is here. */
function argumentsOf({ command = [] }: Container): readonly string[] {
  return command
    .slice(1)
    .map((one) => (one === '/app/bin/pilotlight.js' ? join(projectRoot, 'bin/pilotlight.js') : one))
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port: free } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return free
}

describe.each(['native', 'classic'])('deploy/kubernetes/sidecar-%s.yaml', (form) => {
  const { spec, pod, all, sidecar, ofFunction, service: ofService } = manifests(form)
  const env = environmentOf(sidecar)
  const portOf = (name: string): number | undefined => sidecar.ports.find((one) => one.name === name)?.containerPort

  it('has settings that a sidecar starts with', async () => {
    using key = temporaryFile('instance-key', 'a key that is long enough')
    const settings = { ...env, PILOTLIGHT_INSTANCE_KEY_FILE: key.path }

    expect(await runNode([...argumentsOf(sidecar), '--check-config'], { env: settings })).toEqual({
      code: 0,
      stdout: 'configuration ok\n',
      stderr: '',
    })
  })

  it('has the ports that the sidecar is told, each of them once in the pod', () => {
    const ports = all.flatMap((one) => one.ports)

    expect(String(portOf('http'))).toBe(env['port'])
    expect(String(portOf('pilotlight'))).toBe(env['PILOTLIGHT_ADMIN_PORT'])
    expect(env['upstream_url']).toBe(`http://127.0.0.1:${ofFunction.ports[0]?.containerPort}`)
    expect(new Set(ports.map((one) => one.name)).size).toBe(ports.length)
    expect(new Set(ports.map((one) => one.containerPort)).size).toBe(ports.length)
  })

  it('leads its Service to the sidecar', () => {
    expect(spec.template.metadata.labels).toEqual(spec.selector.matchLabels)
    expect(ofService.spec.selector).toEqual(spec.selector.matchLabels)
    expect(ofService.spec.ports.map((one) => one.targetPort)).toEqual(['http'])
  })

  it('lets the function stop only after the drain, which the pod gives its time', () => {
    const graceSeconds = Number.parseInt(env['PILOTLIGHT_GRACE_PERIOD'] ?? '', 10)

    expect(ofFunction.lifecycle?.preStop.httpGet).toEqual({ path: '/drain', port: portOf('pilotlight') })
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(graceSeconds + 3)
    expect(pod.initContainers?.map((one) => one.restartPolicy)).toEqual(form === 'native' ? ['Always'] : undefined)
    expect(sidecar.lifecycle !== undefined).toBe(form === 'native')
  })

  it('mounts what it has, and the key where it is read, into the sidecar only', () => {
    expect(sidecar.volumeMounts?.map((one) => one.name)).toEqual(pod.volumes.map((one) => one.name))
    expect(env['PILOTLIGHT_INSTANCE_KEY_FILE']).toBe(`${sidecar.volumeMounts?.[0]?.mountPath}/instance-key`)
    expect(ofFunction.volumeMounts).toBeUndefined()
  })
})

describe('the hooks of a pod that ends', () => {
  const running: ChildProcess[] = []
  const servers: Server[] = []
  afterEach(async () => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
    for (const child of running.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
  })

  /** The sidecar of a manifest before a function whose calls last until they are told to end. */
  async function startPod(form: string) {
    const { sidecar } = manifests(form)
    const held: ServerResponse[] = []
    const server = createServer((request, response) => {
      if (request.url === '/call') held.push(response)
      else response.end()
    }).listen(0, '127.0.0.1')
    servers.push(server)
    await once(server, 'listening')
    const [traffic, admin] = [await freePort(), await freePort()]
    const child = spawn(process.execPath, argumentsOf(sidecar), {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        ...environmentOf(sidecar),
        PATH: process.env['PATH'] ?? '',
        port: String(traffic),
        PILOTLIGHT_ADMIN_PORT: String(admin),
        upstream_url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        PILOTLIGHT_GATEWAYS: '',
        PILOTLIGHT_INSTANCE_KEY_FILE: '',
        PILOTLIGHT_LISTEN_HOST: '127.0.0.1',
      },
    })
    running.push(child)
    killOnExit(child)
    let log = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text))
    const ask = (path: string, toAdmin = true): Promise<number> =>
      fetch(`http://127.0.0.1:${toAdmin ? admin : traffic}${path}`, { headers: { connection: 'close' } }).then(
        async (answer) => {
          await answer.arrayBuffer()
          return answer.status
        },
      )
    await eventually(`a sidecar that is ready; ${log}`, () =>
      ask('/readyz').then(
        (status) => status === 200,
        () => false,
      ),
    )
    const call = ask('/call', false)
    await eventually('the call to arrive', () => held.length === 1)
    return { child, admin, ask, call, endCall: () => held[0]?.end('done') }
  }

  it('of the native form hold the function back until its calls are over, and leave the sidecar serving', async () => {
    const { child, admin, ask, call, endCall } = await startPod('native')
    const { sidecar, ofFunction } = manifests('native')
    const command = (sidecar.lifecycle?.preStop.exec?.command ?? []).map((one) => one.replace('8082', String(admin)))
    let isOver = false
    const order: string[] = []

    const ofFunctionsHook = ask(ofFunction.lifecycle?.preStop.httpGet?.path ?? '').then((status) => {
      isOver = true
      order.push(`function ${status}`)
    })
    const ofSidecarsHook = runNode(command.slice(1)).then(({ code, stderr }) => order.push(`sidecar ${code}${stderr}`))
    await eventually('the drain', () => ask('/readyz').then((status) => status === 503))
    await pause(50)
    expect(isOver).toBe(false)
    endCall()

    expect(await call).toBe(200)
    await Promise.all([ofFunctionsHook, ofSidecarsHook])
    expect(order.toSorted()).toEqual(['function 200', 'sidecar 0'])
    expect(await ask('/healthz')).toBe(200)
    child.kill('SIGTERM')
    expect(await once(child, 'exit')).toEqual([0, null])
  })

  it('of the classic form hold the function back until the sidecar has finished its calls', async () => {
    const { child, ask, call, endCall } = await startPod('classic')
    const { ofFunction } = manifests('classic')
    const exited = once(child, 'exit')

    // 1. the hook may come first
    const hooked = ask(ofFunction.lifecycle?.preStop.httpGet?.path ?? '')
    let isOver = false
    void hooked.then(() => (isOver = true))
    // 2. the other container is told to stop
    child.kill('SIGTERM')
    await eventually('the drain', () => ask('/readyz').then((status) => status === 503))
    await pause(50)
    expect(isOver).toBe(false)
    // 3. the last call ends
    endCall()

    expect(await call).toBe(200)
    expect(await hooked).toBe(200)
    expect(await exited).toEqual([0, null])
  })
})
