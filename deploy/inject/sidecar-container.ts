import type { InjectOptions } from './inject-options.ts'
import type { Container, Deployment } from './kubernetes-objects.ts'
import type { PodPorts } from './pod-ports.ts'

/** Name of the sidecar's container: by it a pod is known to have one. */
export const sidecarName = 'pilotlight'
/** Names of its volumes. */
export const keyVolume = 'pilotlight-key'
/** For the compile cache of Node.js. */
export const cacheVolume = 'pilotlight-cache'

/** Less memory: the sidecar makes little garbage, and has nothing to do for threads of V8. */
const nodeFlags = ['--max-semi-space-size=4', '--v8-pool-size=0']
const keyFolder = '/var/run/pilotlight'

/**
 * The node's agent ends a pod while word of that still travels to every node's routes, and to the provider: calls come until it has
 * arrived. A part of the grace period, in which nothing is refused.
 */
const quietPeriod = '10s'

/** Variables of the function that mean the same to the sidecar. */
const sharedVariables = ['max_inflight', 'exec_timeout', 'read_timeout', 'write_timeout']

/** Annotations of the function, and the variables that they become. */
const annotatedVariables = {
  'com.openfaas.ready.http.path': 'ready_path',
  'com.openfaas.health.http.path': 'health_path',
}

/** What the sidecar of one function is made for. */
export interface SidecarNeeds {
  readonly deployment: Deployment
  readonly ofFunction: Container
  readonly ports: PodPorts
  readonly gracePeriodSeconds: number
  readonly options: InjectOptions
}

/** The container of the sidecar. In the native form it is an init container, in the classic one an ordinary one. */
export function sidecarContainer(needs: SidecarNeeds): Record<string, unknown> {
  const { ports, options } = needs
  return {
    name: sidecarName,
    image: options.image,
    ...(options.form === 'native' ? { restartPolicy: 'Always' } : {}),
    command: ['node', ...nodeFlags, '/app/bin/pilotlight.js', 'sidecar'],
    env: variables(needs),
    ports: [
      { name: 'http', containerPort: ports.ofSidecar },
      { name: sidecarName, containerPort: ports.ofAdmin },
    ],
    livenessProbe: { httpGet: { path: '/healthz', port: sidecarName }, periodSeconds: 10, failureThreshold: 3 },
    readinessProbe: { httpGet: { path: '/readyz', port: sidecarName }, periodSeconds: 2, failureThreshold: 1 },
    ...(options.form === 'native'
      ? { lifecycle: { preStop: { exec: { command: drainCommand(ports.ofAdmin) } } } }
      : {}),
    resources: { requests: { cpu: '10m', memory: '64Mi' }, limits: { memory: '128Mi' } },
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 1000,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
    volumeMounts: [
      { name: keyVolume, mountPath: keyFolder, readOnly: true },
      { name: cacheVolume, mountPath: '/tmp' },
    ],
  }
}

/** The volumes that the sidecar mounts. */
export function sidecarVolumes(keySecret: string): readonly Record<string, unknown>[] {
  return [
    { name: keyVolume, secret: { secretName: keySecret, items: [{ key: 'instance-key', path: 'instance-key' }] } },
    { name: cacheVolume, emptyDir: { sizeLimit: '64Mi' } },
  ]
}

function variables({ deployment, ofFunction, ports, gracePeriodSeconds, options }: SidecarNeeds): readonly unknown[] {
  const { metadata, spec } = deployment
  const annotations = { ...metadata.annotations, ...spec.template.metadata.annotations }
  const shared = sharedVariables.flatMap((name) => ofFunction.env?.filter((one) => one.name === name) ?? [])
  const annotated = Object.entries(annotatedVariables).flatMap(([annotation, name]) =>
    annotations[annotation] === undefined ? [] : [{ name, value: annotations[annotation] }],
  )
  return [
    { name: 'OPENFAAS_NAME', value: metadata.labels?.['faas_function'] ?? metadata.name },
    { name: 'OPENFAAS_NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
    { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
    { name: 'port', value: String(ports.ofSidecar) },
    { name: 'upstream_url', value: `http://127.0.0.1:${ports.ofFunction}` },
    ...shared,
    ...annotated,
    { name: 'PILOTLIGHT_GATEWAYS', value: options.gateways },
    { name: 'PILOTLIGHT_INSTANCE_KEY_FILE', value: `${keyFolder}/instance-key` },
    { name: 'PILOTLIGHT_ADMIN_PORT', value: String(ports.ofAdmin) },
    { name: 'PILOTLIGHT_GRACE_PERIOD', value: `${gracePeriodSeconds}s` },
    { name: 'PILOTLIGHT_QUIET_PERIOD', value: quietPeriod },
    ...(options.functionMetrics === ''
      ? []
      : [{ name: 'PILOTLIGHT_FUNCTION_METRICS', value: options.functionMetrics }]),
  ]
}

/** Begins the drain from inside of the container: the image has Node.js, and the sidecar takes the request from loopback only. */
function drainCommand(adminPort: number): readonly string[] {
  const request = `require('node:http').request({ host: '127.0.0.1', port: ${adminPort}, method: 'POST', path: '/drain' })`
  return ['node', '-e', `${request}.on('response', (answer) => answer.resume()).end()`]
}
