import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { environmentVariables } from '../../core/config/environment-variables.ts'
import type { GatewayConfig } from '../../core/config/gateway-config.ts'
import { loadConfig } from '../../core/config/load-config.ts'
import { projectRoot } from '../support/source-files.ts'

const httpGet = z.object({ httpGet: z.object({ path: z.string(), port: z.string() }) })
const probe = httpGet.extend({ periodSeconds: z.number(), failureThreshold: z.number() })
const container = z.object({
  env: z.array(z.object({ name: z.string(), value: z.string() })),
  ports: z.array(z.object({ name: z.string(), containerPort: z.number() })),
  livenessProbe: probe,
  readinessProbe: probe,
  securityContext: z.object({
    allowPrivilegeEscalation: z.literal(false),
    readOnlyRootFilesystem: z.literal(true),
    capabilities: z.object({ drop: z.tuple([z.literal('ALL')]) }),
  }),
  volumeMounts: z.array(z.object({ name: z.string(), mountPath: z.string() })),
})
const deployment = z.object({
  kind: z.literal('Deployment'),
  spec: z.object({
    selector: z.object({ matchLabels: z.record(z.string(), z.string()) }),
    template: z.object({
      metadata: z.object({
        labels: z.record(z.string(), z.string()),
        annotations: z.record(z.string(), z.string()),
      }),
      spec: z.object({
        terminationGracePeriodSeconds: z.number(),
        securityContext: z.object({ runAsNonRoot: z.literal(true), runAsUser: z.number() }),
        containers: z.tuple([container]),
        volumes: z.array(z.object({ name: z.string() })),
      }),
    }),
  }),
})
const service = z.object({
  kind: z.literal('Service'),
  spec: z.object({
    selector: z.record(z.string(), z.string()),
    ports: z.array(z.object({ port: z.number(), targetPort: z.string() })),
  }),
})
const compose = z.object({
  services: z.object({
    gateway: z.object({
      build: z.object({ context: z.string(), dockerfile: z.string() }),
      environment: z.record(z.string(), z.string()),
      ports: z.array(z.string()),
      stop_grace_period: z.string().regex(/^\d+s$/),
    }),
    prometheus: z.object({ volumes: z.array(z.string()) }),
  }),
})

function read(path: string): string {
  return readFileSync(join(projectRoot, 'deploy', path), 'utf8')
}

function yaml(path: string): readonly unknown[] {
  const documents = parseAllDocuments(read(path), { strict: true, uniqueKeys: true })
  if (!Array.isArray(documents)) throw new Error(`${path} is empty`)
  return documents.map((one) => {
    expect([...one.errors, ...one.warnings]).toEqual([])
    return one.toJS() as unknown
  })
}

/** What the gateway makes of these variables; a fault in them throws. */
function configOf(env: Readonly<Record<string, string>>): GatewayConfig {
  const known = new Set(environmentVariables.map(({ name }) => name))
  expect(Object.keys(env).filter((name) => !known.has(name))).toEqual([])
  return loadConfig({ argvConfigPath: undefined, flags: {}, env, cwd: '/' })
}

describe('deploy/kubernetes/gateway.yaml', () => {
  const [first, second] = yaml('kubernetes/gateway.yaml')
  const { spec } = deployment.parse(first)
  const pod = spec.template.spec
  const [gateway] = pod.containers
  const config = configOf(Object.fromEntries(gateway.env.map(({ name, value }) => [name, value])))
  const portOf = (name: string): number | undefined => gateway.ports.find((one) => one.name === name)?.containerPort

  it('opens the ports that the gateway listens on', () => {
    expect(portOf('http')).toBe(config.port)
    expect(portOf('metrics')).toBe(config.metricsPort)
    expect(spec.template.metadata.annotations).toMatchObject({
      'prometheus.io/scrape': 'true',
      'prometheus.io/port': String(config.metricsPort),
      'prometheus.io/path': '/metrics',
    })
  })

  it('asks liveness and readiness where they are answered', () => {
    expect(gateway.livenessProbe.httpGet).toEqual({ path: '/healthz', port: 'metrics' })
    expect(gateway.readinessProbe.httpGet).toEqual({ path: '/readyz', port: 'http' })
  })

  it('gives the gateway time for its quiet and grace periods', () => {
    const { periodSeconds, failureThreshold } = gateway.readinessProbe

    expect(pod.terminationGracePeriodSeconds * 1000).toBeGreaterThan(config.quietPeriodMs + config.gracePeriodMs)
    expect(config.quietPeriodMs).toBeGreaterThan(2 * periodSeconds * failureThreshold * 1000)
  })

  it('lets a held call send its body', () => {
    expect(config.readTimeoutMs).toBeGreaterThan(config.holdTimeoutMs)
  })

  it('mounts what it reads, and selects its own pods', () => {
    expect(gateway.volumeMounts.map(({ mountPath }) => mountPath)).toContain(config.secretMountPath)
    expect(pod.volumes.map(({ name }) => name)).toEqual(gateway.volumeMounts.map(({ name }) => name))
    expect(spec.template.metadata.labels).toEqual(spec.selector.matchLabels)
    expect(service.parse(second).spec).toEqual({
      selector: spec.selector.matchLabels,
      ports: [expect.objectContaining({ port: config.port, targetPort: 'http' })],
    })
  })
})

describe('deploy/compose/compose.yaml', () => {
  const { gateway, prometheus } = compose.parse(yaml('compose/compose.yaml')[0]).services
  const config = configOf(gateway.environment)

  it('stops the gateway after its quiet and grace periods', () => {
    const stopMs = Number.parseInt(gateway.stop_grace_period, 10) * 1000

    expect(stopMs).toBeGreaterThan(config.quietPeriodMs + config.gracePeriodMs)
  })

  it('publishes the gateway on loopback only: it is open to whoever reaches it', () => {
    expect(config.basicAuth).toBe(false)
    expect(gateway.ports).toEqual([`127.0.0.1:${config.port}:${config.port}`])
  })

  it('names files that there are', () => {
    const { context, dockerfile } = gateway.build
    const [scrapes = ''] = prometheus.volumes.map((one) => one.split(':')[0] ?? '')

    expect(read(join('compose', context, dockerfile))).toContain('FROM ')
    expect(read(join('compose', scrapes))).toContain(`gateway:${config.metricsPort}`)
  })
})

describe('deploy/docker/Dockerfile', () => {
  const dockerfile = read('docker/Dockerfile')
  const copied = [...dockerfile.matchAll(/^COPY (?!--)(.+) \S+$/gm)].flatMap((match) => (match[1] ?? '').split(' '))

  it('copies what its ignore file lets through, and nothing else', () => {
    const allowed = [...read('docker/Dockerfile.dockerignore').matchAll(/^!(.+)$/gm)].map(([, path = '']) => path)

    expect([...new Set(copied)].toSorted()).toEqual(allowed.toSorted())
  })

  it('starts the program as package.json does', () => {
    const { scripts } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'))
    const command = JSON.parse(/^ENTRYPOINT (.+)$/m.exec(dockerfile)?.[1] ?? '[]').join(' ')

    expect(command).toBe(scripts.start.replace('bin/pilotlight.js', '/app/bin/pilotlight.js'))
  })

  it('runs as nobody special, under the number that the manifests name', () => {
    expect(dockerfile).toMatch(/^USER 1000:1000$/m)
  })
})
