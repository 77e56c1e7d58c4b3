import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis, type RedisOptions } from 'ioredis'
import { toolPath } from './debian-tools.ts'
import { killOnExit } from './kill-on-exit.ts'
import { LineSplitter } from './line-splitter.ts'
import { testCertificate, testKey } from './test-certificate.ts'

/** How to start a Redis. */
export interface RedisServerOptions {
  /** Flags of redis-server, such as `--maxmemory`, `1mb`. */
  readonly args?: readonly string[]
  /** Text of a configuration file, for what flags cannot say (a Sentinel's). */
  readonly config?: string
  /** Listens with TLS only, with the test certificate (`provider.invalid`). */
  readonly tls?: boolean
  /** Rules of users, as `ACL SETUSER` takes them: `pilotlight on >secret ~pilotlight:* ...`. The default user stays. */
  readonly acl?: readonly string[]
  /** Runs as a Sentinel. */
  readonly sentinel?: boolean
  /** A port to take instead of any free one. */
  readonly port?: number
}

/** Time for a server to listen on a busy machine. */
const patienceMs = 10_000
const mostPortsTried = 5

/** A Redis of one test: a process of its own, without persistence, in a folder of its own. Disposing it kills it. */
export class RedisServer implements AsyncDisposable {
  readonly host = '127.0.0.1'
  readonly port: number
  /** With certificate, key and configuration; also a file with the certificate alone: see {@link certificatePath}. */
  readonly directory: string
  /** What it wrote since its last start. */
  output = ''
  readonly #options: RedisServerOptions
  #child: ChildProcess | undefined
  #ended: Promise<void> = Promise.resolve()
  #hasEnded = true

  constructor(port: number, options: RedisServerOptions) {
    this.port = port
    this.#options = options
    this.directory = mkdtempSync(join(tmpdir(), 'pilotlight-redis-'))
    writeFileSync(join(this.directory, 'redis.conf'), `${options.config ?? ''}\n`)
    if (options.tls === true) {
      writeFileSync(this.certificatePath, testCertificate)
      writeFileSync(join(this.directory, 'key.pem'), testKey)
    }
  }

  /** `redis://127.0.0.1:port`, or `rediss://` with the certificate to trust. */
  get url(): string {
    if (this.#options.tls !== true) return `redis://${this.host}:${this.port}`
    return `rediss://${this.host}:${this.port}?tls_ca=${this.certificatePath}&tls_servername=provider.invalid`
  }

  get certificatePath(): string {
    return join(this.directory, 'certificate.pem')
  }

  get isRunning(): boolean {
    return !this.#hasEnded
  }

  /**
   * Starts it, also again after {@link kill}, with nothing in it.
   * @returns false when the port was taken
   * @throws Error with its output when it ends instead of listening
   */
  async start(): Promise<boolean> {
    this.output = ''
    this.#hasEnded = false
    const child = spawn(toolPath('redis-server'), this.#arguments(), { stdio: ['ignore', 'pipe', 'pipe'] })
    killOnExit(child)
    this.#child = child
    this.#ended = new Promise((resolve) => {
      child.once('close', () => {
        this.#hasEnded = true
        resolve()
      })
    })
    await this.#listening(child)
    if (!this.#hasEnded) return true
    if (this.output.includes('Address already in use')) return false
    throw new Error(`redis-server ended instead of listening:\n${this.output}`)
  }

  /** Stops it from running while its connections stay open, as a hung machine does. */
  pause(): void {
    this.#child?.kill('SIGSTOP')
  }

  resume(): void {
    this.#child?.kill('SIGCONT')
  }

  /** Ends it at once, as a crash does; its port stays reserved for {@link start} as far as nobody takes it. */
  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL')
    await this.#ended
  }

  /** Kills it and starts it on the same port, empty. */
  async restart(): Promise<void> {
    await this.kill()
    if (!(await this.start())) throw new Error(`port ${this.port} was taken while the server was down`)
  }

  /** Sends one command as the default user, over a connection of its own. */
  async command(...words: readonly [string, ...(string | number)[]]): Promise<unknown> {
    const client = new Redis({ ...this.clientOptions(), lazyConnect: true, retryStrategy: () => null })
    client.on('error', () => {})
    try {
      await client.connect()
      const [name, ...rest] = words
      return await client.call(name, ...rest)
    } finally {
      client.disconnect()
    }
  }

  /** For clients of tests. */
  clientOptions(): Omit<RedisOptions, 'replyMapping'> {
    const { host, port } = this
    const tls = this.#options.tls === true ? { tls: { ca: testCertificate, servername: 'provider.invalid' } } : {}
    return { host, port, ...tls, protocol: 2, enableReadyCheck: false, disableClientInfo: true, disconnectTimeout: 50 }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
    rmSync(this.directory, { recursive: true, force: true })
  }

  #arguments(): string[] {
    const { args = [], tls = false, acl = [], sentinel = false } = this.#options
    const port = `${this.port}`
    const listening = tls
      ? ['--port', '0', '--tls-port', port, '--tls-auth-clients', 'no', ...this.#certificate()]
      : ['--port', port]
    return [
      join(this.directory, 'redis.conf'),
      ...(sentinel ? ['--sentinel'] : ['--save', '', '--appendonly', 'no']),
      ...listening,
      ...['--bind', this.host, '--dir', this.directory, '--daemonize', 'no'],
      ...acl.flatMap((rule) => `--user ${rule}`.split(' ')),
      ...args,
    ]
  }

  #certificate(): string[] {
    const { certificatePath } = this
    const key = join(this.directory, 'key.pem')
    return ['--tls-cert-file', certificatePath, '--tls-key-file', key, '--tls-ca-cert-file', certificatePath]
  }

  async #listening(child: ChildProcess): Promise<void> {
    const told = new Promise<void>((resolve) => {
      const lines = new LineSplitter((line) => {
        this.output += `${line}\n`
        if (/Ready to accept connections|Sentinel ID is/.test(line)) resolve()
      })
      child.stdout?.on('data', (piece: Buffer) => lines.push(piece))
      child.stderr?.on('data', (piece: Buffer) => lines.push(piece))
    })
    const outOfPatience = new AbortController()
    const timer = setTimeout(() => outOfPatience.abort(), patienceMs)
    const late = new Promise<void>((resolve) => outOfPatience.signal.addEventListener('abort', () => resolve()))
    await Promise.race([told, this.#ended, late])
    clearTimeout(timer)
    if (!outOfPatience.signal.aborted) return
    await this.kill()
    throw new Error(`redis-server did not listen in time:\n${this.output}`)
  }
}

/** Starts a Redis on a free port and resolves when it takes connections. */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  for (let tries = 1; tries <= mostPortsTried; tries += 1) {
    const server = new RedisServer(options.port ?? (await freePort()), options)
    try {
      if (await server.start()) return server
    } catch (error) {
      await server[Symbol.asyncDispose]()
      throw error
    }
    await server[Symbol.asyncDispose]()
  }
  throw new Error(`no free port for redis-server in ${mostPortsTried} tries`)
}

/** A port that nobody listened on a moment ago; who takes it must be ready to find it taken. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  const { port } = server.address() as AddressInfo // listens on TCP
  await new Promise((resolve) => server.close(resolve))
  return port
}
