import type { Deployment } from './deployment.ts'

const sleeping = { 'com.openfaas.scale.zero': 'true' }

/** The functions that are there from the start, all at zero replicas. */
export const sampleDeployments: readonly Omit<Deployment, 'namespace'>[] = [
  {
    service: 'hello',
    image: 'pilotlight/hello:latest',
    labels: sleeping,
    annotations: { description: 'Greets; /echo shows the request, /stream sends events, /ws echoes over a WebSocket' },
  },
  {
    service: 'slow-start',
    image: 'pilotlight/slow-start:latest',
    envVars: { start_delay_ms: '1000' },
    labels: sleeping,
    annotations: { description: 'Takes a second to start, then answers like hello' },
  },
  {
    service: 'upper',
    image: 'pilotlight/upper:latest',
    labels: sleeping,
    annotations: { description: 'Turns its input into upper case; one process per call' },
  },
  {
    service: 'env',
    image: 'pilotlight/env:latest',
    labels: sleeping,
    annotations: { description: 'Shows the variables of its call; one process per call' },
  },
]
