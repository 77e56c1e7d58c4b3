/** http-proxy bare: its own server, keep-alive connections to the upstream, nothing else. */
import { Agent, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import httpProxy from 'http-proxy'
import { announce } from './bench-process.ts'

const target = process.env['UPSTREAM_URL'] ?? ''
const proxy = httpProxy.createProxyServer({ target, agent: new Agent({ keepAlive: true, maxSockets: 1024 }) })
proxy.on('error', (_error, _request, response) => response?.destroy())
const server = createServer((request, response) => proxy.web(request, response))
server.listen(0, '127.0.0.1', 4096, () => announce((server.address() as AddressInfo).port)) // a TCP server's address
