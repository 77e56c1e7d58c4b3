import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseAllDocuments, stringify } from 'yaml'
import { describe, expect, it } from 'vitest'
import { inject } from '../../../deploy/inject/inject.ts'
import type { InjectOptions } from '../../../deploy/inject/inject-options.ts'
import { projectRoot } from '../../support/source-files.ts'

const options: InjectOptions = {
  form: 'native',
  takesAll: false,
  image: 'pilotlight:latest',
  gateways: 'http://gateway.openfaas:8080',
  keySecret: 'pilotlight-instance-key',
  functionPort: undefined,
  functionMetrics: '',
}
const plain = readFileSync(join(projectRoot, 'test/unit/inject/function.yaml'), 'utf8')

/** Objects as this test looks into them: what is not there is undefined. */
// oxlint-disable-next-line typescript/no-explicit-any -- manifests of any form; a wrong path fails the expectation
type Manifest = any

function objects(text: string): Manifest[] {
  return parseAllDocuments(text).map((document) => document.toJS())
}

/** A function's Deployment, with its pod and its container changed. */
function deployment(pod: Manifest = {}, container: Manifest = {}): string {
  return stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'hello', namespace: 'fn', labels: { faas_function: 'hello' } },
    spec: {
      template: {
        metadata: { labels: { faas_function: 'hello' } },
        spec: {
          containers: [{ name: 'hello', ports: [{ name: 'http', containerPort: 3000 }], ...container }],
          ...pod,
        },
      },
    },
  })
}

function podOf(text: string): Manifest {
  return objects(text)[0].spec.template.spec
}

function valueOf(container: Manifest, name: string): Manifest {
  return container.env.find((one: Manifest) => one.name === name)?.value
}

describe('inject', () => {
  it.each(['native', 'classic'] as const)('makes deploy/kubernetes/sidecar-%s.yaml of the plain function', (form) => {
    const written = readFileSync(join(projectRoot, `deploy/kubernetes/sidecar-${form}.yaml`), 'utf8')

    expect(objects(inject(plain, { ...options, form }).text)).toEqual(objects(written))
  })

  it('keeps comments, quotes and order', () => {
    const lines = inject(plain, options).text.split('\n')

    expect(lines.filter((line) => !plain.split('\n').includes(line)).slice(0, 5)).toEqual([
      '            - name: function # for the Service',
      '              port: function',
      '              port: function',
      '          lifecycle:',
      '            preStop:',
    ])
    expect(plain.split('\n').filter((line) => !lines.includes(line))).toEqual([
      '            - name: http # for the Service',
      '              port: http',
      '              port: http',
      '      targetPort: 8080',
    ])
  })

  it.each(['native', 'classic'] as const)('changes nothing of its own result (%s)', (form) => {
    const once = inject(plain, { ...options, form }).text

    expect(inject(once, { ...options, form }).text).toBe(once)
    expect(inject(once, { ...options, form: 'native', functionPort: 9000 }).text).toBe(once)
  })

  it('leaves everything else as it is, to the character', () => {
    const other = '# kept\r\napiVersion: v1\nkind:   ConfigMap\nmetadata: {name: x}\ndata:\n  a: &b "1"\n  c: *b'
    const { text } = inject(`${other}\n---\n${plain}---\n${other}`, options)

    expect(text.startsWith(`${other}\n---\n`)).toBe(true)
    expect(text.endsWith(`---\n${other}`)).toBe(true)
    expect(inject(other, options)).toEqual({ text: other, notes: [expect.stringContaining('nothing to do')] })
    expect(inject('# nothing\n', options).text).toBe('# nothing\n')
  })

  it('finds functions in the lists that kubectl prints, whose lists are not indented', () => {
    const list = stringify({ apiVersion: 'v1', kind: 'List', items: objects(plain) }, { indentSeq: false })

    const { text } = inject(list, options)
    const [{ items }] = objects(text)

    expect(items).toEqual(objects(inject(plain, options).text))
    expect(text).toContain('\nitems:\n- apiVersion')
    expect(text).toContain('\n        initContainers:\n        - name: pilotlight\n')
  })

  it('takes only Deployments with the label of a function, unless it shall take all', () => {
    const unlabelled = plain.replace('  labels:\n    faas_function: hello\n  annotations', '  annotations')

    expect(inject(unlabelled, options).text).toBe(unlabelled)
    expect(inject(unlabelled, { ...options, takesAll: true }).text).toContain('name: pilotlight')
  })

  it('gives the sidecar the port 8080 where it is free, and a Service that says 3000 the name', () => {
    const service = stringify({
      kind: 'Service',
      metadata: { name: 'hello', namespace: 'fn' },
      spec: { selector: { faas_function: 'hello' }, ports: [{ port: 3000 }, { port: 9000, targetPort: 'other' }] },
    })
    const { text, notes } = inject(`${deployment()}---\n${service}`, options)
    const [sidecar] = podOf(text).initContainers

    expect(sidecar.ports[0]).toEqual({ name: 'http', containerPort: 8080 })
    expect(valueOf(sidecar, 'upstream_url')).toBe('http://127.0.0.1:3000')
    expect(objects(text)[1].spec.ports).toEqual([
      { port: 3000, targetPort: 'http' },
      { port: 9000, targetPort: 'other' },
    ])
    expect(notes).toEqual([
      'hello.fn: the function stays on 3000; the sidecar takes calls on 8080, its own pages are on 8082',
    ])
  })

  const serviceOf = (ports: Manifest, name = 'hello'): string =>
    stringify({
      kind: 'Service',
      metadata: { name, namespace: 'fn' },
      spec: { selector: { faas_function: 'hello' }, ports },
    })

  it.each([
    ['stays', undefined],
    ['moves', 9000],
  ])('leads a Service to the sidecar that says the name of the port, also when the function %s', (_, functionPort) => {
    const web = { ports: [{ name: 'web', containerPort: 8080 }] }
    const service = serviceOf([{ port: 80, targetPort: 'web' }])
    const { text, notes } = inject(`${deployment({}, web)}---\n${service}`, { ...options, functionPort })

    expect(podOf(text).containers[0].ports[0].name).toBe('web')
    expect(objects(text)[1].spec.ports).toEqual([{ port: 80, targetPort: 'http' }])
    expect(notes).toEqual([expect.stringContaining('the sidecar takes calls on')])
  })

  it('says of every Service that stays as it is whether it leads to the sidecar', () => {
    const services = [
      serviceOf([{ port: 80, targetPort: 'http' }], 'by-name'),
      serviceOf([{ port: 9000, targetPort: 'other' }, { port: 9001 }], 'past'),
      serviceOf(null, 'without-ports'),
    ].join('---\n')
    const { text, notes } = inject(`${deployment()}---\n${services}`, options)

    expect(text.endsWith(services)).toBe(true)
    expect(notes.slice(1)).toEqual([
      'hello.fn: Service by-name stays as it is: it leads to the sidecar',
      'hello.fn: Service past stays as it is, and does not lead to the sidecar: its calls go to other, 9001',
      'hello.fn: Service without-ports stays as it is, and does not lead to the sidecar: its calls go to no port',
    ])
  })

  it('says how to change a Service that is not there', () => {
    const elsewhere = stringify({
      kind: 'Service',
      metadata: { name: 'hello', namespace: 'other' },
      spec: { selector: { faas_function: 'hello' }, ports: [{ port: 3000 }] },
    })
    const { text, notes } = inject(`${deployment()}---\n${elsewhere}`, options)

    expect(text.endsWith(elsewhere)).toBe(true)
    expect(notes.at(-1)).toContain('kubectl patch service hello -n fn --type json')
  })

  it('moves a function whose watchdog listens where it is told, so that the sidecar takes its place', () => {
    const container = {
      ports: [{ containerPort: 8080 }],
      livenessProbe: { httpGet: { path: '/_/health', port: 8080 } },
      readinessProbe: { tcpSocket: { port: 8080 } },
    }
    const { text, notes } = inject(deployment({}, container), { ...options, functionPort: 9000 })
    const { containers, initContainers } = podOf(text)

    expect(containers[0]).toMatchObject({
      ports: [{ containerPort: 9000 }],
      env: [{ name: 'port', value: '9000' }],
      livenessProbe: { httpGet: { port: 9000 } },
      readinessProbe: { tcpSocket: { port: 9000 } },
    })
    expect(initContainers[0].ports[0]).toEqual({ name: 'http', containerPort: 8080 })
    expect(valueOf(initContainers[0], 'upstream_url')).toBe('http://127.0.0.1:9000')
    expect(notes).toEqual([expect.stringContaining('moves to 9000')])
  })

  it('passes on the limits of the function, also those that come from elsewhere', () => {
    const env = [
      { name: 'max_inflight', valueFrom: { configMapKeyRef: { name: 'limits', key: 'calls' } } },
      { name: 'write_timeout', value: '2m' },
      { name: 'unrelated', value: '1' },
    ]
    const pod = podOf(inject(deployment({}, { env }), { ...options, functionMetrics: '/metrics' }).text)

    expect(pod.initContainers[0].env).toEqual(expect.arrayContaining(env.slice(0, 2)))
    expect(valueOf(pod.initContainers[0], 'unrelated')).toBeUndefined()
    expect(valueOf(pod.initContainers[0], 'PILOTLIGHT_GRACE_PERIOD')).toBe('120s')
    expect(valueOf(pod.initContainers[0], 'PILOTLIGHT_QUIET_PERIOD')).toBe('10s')
    expect(valueOf(pod.initContainers[0], 'PILOTLIGHT_FUNCTION_METRICS')).toBe('/metrics')
    expect(pod.terminationGracePeriodSeconds).toBe(135)
  })

  it('starts after other init containers, and leaves a longer end alone', () => {
    const pod = podOf(
      inject(deployment({ initContainers: [{ name: 'first' }], terminationGracePeriodSeconds: 300 }), options).text,
    )

    expect(pod.initContainers.map(({ name }: Manifest) => name)).toEqual(['first', 'pilotlight'])
    expect(pod.terminationGracePeriodSeconds).toBe(300)
  })

  it('fills in what is there and null', () => {
    const pod = podOf(
      inject(deployment({ volumes: null, initContainers: null }, { lifecycle: null, env: null }), options).text,
    )

    expect(pod.volumes).toHaveLength(2)
    expect(pod.initContainers).toHaveLength(1)
    expect(pod.containers[0].lifecycle.preStop.httpGet).toEqual({ path: '/drain', port: 8082 })
  })

  it('leaves a hook of the function, and says so', () => {
    const lifecycle = { preStop: { httpGet: { path: '/bye', port: 'http' } } }
    const { text, notes } = inject(deployment({}, { lifecycle }), options)

    expect(podOf(text).containers[0].lifecycle).toEqual({ preStop: { httpGet: { path: '/bye', port: 'function' } } })
    expect(notes).toContainEqual(expect.stringContaining('preStop hook of its own'))
  })

  it('keeps clear of every port of the pod, and of that of the metrics of watchdogs', () => {
    const ports = [8080, 8082].map((containerPort) => ({ containerPort }))
    const pod = podOf(inject(deployment({ initContainers: [{ name: 'first', ports }] }), options).text)

    expect(pod.initContainers[1].ports).toEqual([
      { name: 'http', containerPort: 8090 },
      { name: 'pilotlight', containerPort: 8083 },
    ])
  })

  const refused: Record<string, [text: string, reason: RegExp]> = {
    'a port of the node': [deployment({}, { ports: [{ containerPort: 1, hostPort: 80 }] }), /hello: hostPort 80/],
    'the network of the node': [deployment({ hostNetwork: true }), /hello: hostNetwork/],
    'a port that is not TCP': [deployment({}, { ports: [{ containerPort: 1, protocol: 'UDP' }] }), /hello: .*UDP/],
    'two ports without names': [
      deployment({}, { ports: [{ containerPort: 1 }, { containerPort: 2 }] }),
      /Name it http/,
    ],
    'two containers': [deployment({ containers: [{ name: 'a' }, { name: 'b' }] }), /which container is the function/],
    'no container': [deployment({ containers: [] }), /which container|no container/],
    'another port named http': [
      deployment({ initContainers: [{ name: 'a', ports: [{ name: 'http', containerPort: 1 }] }] }),
      /another container/,
    ],
    'a volume of the same name': [deployment({ volumes: [{ name: 'pilotlight-key' }] }), /volume pilotlight-key/],
    'an alias': [
      deployment().replace('name: hello', 'name: &n hello').replace('faas_function: hello', 'faas_function: *n'),
      /\*n/,
    ],
    'containers that are no list': [deployment({ containers: 'x' }), /Deployment hello: spec.template.spec.containers/],
    'no YAML': ['a: [1,\n', /line 2, column 1/],
  }

  it.each(Object.entries(refused))('refuses %s', (_, [text, reason]) => {
    expect(() => inject(text, options)).toThrow(reason)
  })

  it('refuses to move a function to a port that is taken', () => {
    expect(() => inject(deployment(), { ...options, functionPort: 8081 })).toThrow(/port 8081 is taken/)
  })
})
