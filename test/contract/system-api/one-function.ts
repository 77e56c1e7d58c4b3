import type { ServerResponse } from 'node:http'
import type { SeenRequest } from '../../unit/plugins/provider-client/handler-provider.ts'

/** A provider with one function, `echo` in `fn`, that starts at once, unless told otherwise. */
export class OneFunction {
  exists = true
  replicas = 0
  /** Status of the answer to scale calls; 4xx changes nothing. */
  scaleStatus = 202
  readonly scaleBodies: unknown[] = []

  readonly answer = (request: SeenRequest, response: ServerResponse): void => {
    const path = request.target.split('?', 1)[0] ?? ''
    if (path === '/system/functions') this.#functions(request, response)
    else if (path === '/system/namespaces') response.end('[]')
    else if (!this.exists) response.writeHead(404).end()
    else if (path.startsWith('/system/scale-function/')) this.#scale(request, response)
    else if (path.startsWith('/system/function/')) response.end(JSON.stringify(this.#status()))
    else if (this.replicas === 0)
      response.writeHead(503, { 'X-OpenFaaS-Internal': 'proxy' }).end('No endpoints available')
    else response.end('echo')
  }

  #functions(request: SeenRequest, response: ServerResponse): void {
    if (request.method === 'GET') {
      response.end(JSON.stringify(this.exists ? [this.#status()] : []))
      return
    }
    this.exists = request.method !== 'DELETE'
    response.writeHead(202).end()
  }

  #scale(request: SeenRequest, response: ServerResponse): void {
    const body: unknown = JSON.parse(request.body)
    this.scaleBodies.push(body)
    if (this.scaleStatus < 300 && typeof body === 'object' && body !== null && 'replicas' in body) {
      this.replicas = Number(body.replicas)
    }
    response.writeHead(this.scaleStatus).end()
  }

  #status(): unknown {
    return { name: 'echo', namespace: 'fn', replicas: this.replicas, availableReplicas: this.replicas }
  }
}
