import { PassThrough, Writable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { createLogger, type LoggerOptions } from '../../../core/telemetry/pino-logger.ts'
import { FakeClock } from '../../support/fake-clock.ts'

function start(options: Partial<LoggerOptions> = {}) {
  const stream = new PassThrough({ encoding: 'utf8' })
  const clock = new FakeClock()
  const logger = createLogger({ level: 'info', format: 'json', clock, stream, ...options })
  const lines = async (): Promise<string[]> => {
    await logger.close()
    return String(stream.read() ?? '')
      .split('\n')
      .slice(0, -1)
  }
  return { logger, clock, lines }
}

async function firstRecord(
  write: (logger: ReturnType<typeof start>['logger']) => void,
): Promise<Record<string, unknown>> {
  const { logger, lines } = start()
  write(logger)
  const [line] = await lines()
  return JSON.parse(line ?? '{}')
}

describe('createLogger', () => {
  it('writes one JSON object a line, with time, level, fields and message', async () => {
    const { logger, lines } = start()

    logger.info('first', { port: 8080 })
    logger.error('second')

    expect(await lines()).toEqual([
      '{"level":"info","time":"2026-01-01T00:00:00.000Z","port":8080,"message":"first"}',
      '{"level":"error","time":"2026-01-01T00:00:00.000Z","message":"second"}',
    ])
  })

  it('writes text for people: time, level, message, pairs', async () => {
    const { logger, lines } = start({ format: 'text' })

    logger.info('Forwarded [POST] to /function/x - [200] - 0.0123s')
    logger.warn('slow', {
      function: 'x',
      waitedMs: 12.5,
      note: 'a b',
      empty: '',
      headers: { accept: '*/*' },
      list: [1],
    })

    expect(await lines()).toEqual([
      '2026-01-01T00:00:00.000Z info  Forwarded [POST] to /function/x - [200] - 0.0123s',
      '2026-01-01T00:00:00.000Z warn  slow function=x waitedMs=12.5 note="a b" empty="" headers.accept=*/* list=[1]',
    ])
  })

  it.each([
    ['debug', ['debug', 'info', 'warn', 'error']],
    ['info', ['info', 'warn', 'error']],
    ['warn', ['warn', 'error']],
    ['error', ['error']],
    ['silent', []],
  ] as const)('writes at level %s only %j', async (level, expected) => {
    const { logger, lines } = start({ level })

    logger.debug('debug')
    logger.info('info')
    logger.warn('warn')
    logger.error('error')

    expect((await lines()).map((line) => JSON.parse(line).message)).toEqual(expected)
  })

  it('adds the fields of its parents to every line of a child', async () => {
    const { logger, lines } = start({ format: 'text' })

    logger.child({ plugin: 'auth', token: 'hunter2' }).child({ attempt: 1 }).info('hello', { more: true })

    expect(await lines()).toEqual(['2026-01-01T00:00:00.000Z info  hello plugin=auth token=*** attempt=1 more=true'])
  })

  it('masks secrets by name at any depth, and credentials in URLs wherever they are', async () => {
    const record = await firstRecord((logger) =>
      logger.info('GET http://user:hunter2@host/ failed', {
        authorization: 'Basic hunter2',
        headers: { Cookie: 'hunter2', 'Set-Cookie': 'hunter2', deep: { password: 'hunter2' } },
        url: new URL('http://user:hunter2@host/'),
        err: new Error('connect to http://a:hunter2@b', { cause: { secret: 'hunter2' } }),
      }),
    )

    expect(JSON.stringify(record)).not.toContain('hunter2')
    expect(record).toMatchObject({
      authorization: '***',
      url: 'http://***@host/',
      message: 'GET http://***@host/ failed',
    })
  })

  it('writes an error with its kind, its own fields and its causes', async () => {
    const cause = Object.assign(new TypeError('inner'), { code: 'ECONNREFUSED' })

    const record = await firstRecord((logger) => logger.error('failed', { err: new Error('outer', { cause }) }))

    expect(record['err']).toMatchObject({
      type: 'Error',
      message: 'outer',
      stack: expect.stringContaining('Error: outer'),
      cause: { type: 'TypeError', message: 'inner', code: 'ECONNREFUSED' },
    })
  })

  it('never lets a field take the place of time, level or message', async () => {
    const record = await firstRecord((logger) => logger.info('real', { message: 'fake', level: 'fake', time: 'fake' }))

    expect(record).toMatchObject({ message: 'real', level: 'info', message_: 'fake', level_: 'fake', time_: 'fake' })
  })

  it.each([
    ['line breaks', 'a\nb\r\nc\u2028d'],
    ['terminal escapes', 'a\u001b[31mred\u0007\u009b'],
    ['a forged line', 'x\n2026-01-01T00:00:00.000Z info  forged'],
  ])('keeps a text line on one line and free of control characters: %s', async (_, text) => {
    const { logger, lines } = start({ format: 'text' })

    logger.info(text, { [text]: text, nested: { text } })

    const written = await lines()
    expect(written).toHaveLength(1)
    expect(written[0]).not.toMatch(/[\p{Cc}\u2028\u2029]/u)
  })

  it.each([
    ['a cycle', () => ({ value: cyclic() })],
    ['a getter that throws', () => Object.defineProperty({}, 'value', { enumerable: true, get: refuse })],
    ['a proxy that throws', () => ({ value: new Proxy({}, { ownKeys: refuse, get: refuse }) })],
    ['toJSON that throws', () => ({ value: { toJSON: refuse } })],
    ['big integers, symbols and functions', () => ({ a: 1n, b: Symbol('s'), c: refuse, d: undefined, e: Number.NaN })],
    ['an invalid date', () => ({ value: new Date(Number.NaN) })],
    ['a million items', () => ({ value: Array.from({ length: 1_000_000 }, (_, at) => at) })],
    ['a text of 10 MB', () => ({ value: 'x'.repeat(10_000_000) })],
    ['bytes', () => ({ value: Buffer.alloc(1_000_000) })],
    ['an object without prototype', () => ({ value: Object.create(null) })],
  ])('survives %s in one line of bounded length', async (_, fields) => {
    for (const format of ['json', 'text'] as const) {
      const { logger, lines } = start({ format })

      logger.info('hello', fields())

      const written = await lines()
      expect(written).toHaveLength(1)
      expect(written[0]?.length).toBeLessThan(20_000)
    }
  })

  it('drops and counts lines while the reader is slow, and says how many when it reads again', async () => {
    const reader = new SlowReader()
    const clock = new FakeClock()
    const logger = createLogger({ level: 'info', format: 'text', clock, stream: reader, maxWaiting: 1_000 })

    for (let line = 0; line < 100; line += 1) logger.info(`line ${line}`)
    await new Promise((resolve) => setImmediate(resolve))
    for (let line = 0; line < 100; line += 1) logger.info(`later ${line}`)

    expect(reader.writableLength).toBeLessThanOrEqual(1_000)
    expect(logger.droppedLines).toBeGreaterThan(150)
    const dropped = logger.droppedLines
    reader.release()
    await logger.close()
    expect(reader.text).toContain('info  line 0\n')
    expect(reader.text).toContain(`log lines dropped: the reader is too slow lines=${dropped}\n`)
    expect(reader.text.split('\n').length - 1 + dropped).toBe(201)
  })

  it('gives up on a reader that never reads, a second after it is closed', async () => {
    const clock = new FakeClock()
    const logger = createLogger({ level: 'info', format: 'text', clock, stream: new SlowReader() })
    logger.info('unread')

    const closed = logger.close().then(() => 'closed')
    await clock.advance(999)
    expect(await Promise.race([closed, Promise.resolve('open')])).toBe('open')
    await clock.advance(1)

    expect(await closed).toBe('closed')
    expect(clock.pending).toBe(0)
  })

  it('goes on without a reader when the stream breaks', async () => {
    const broken = new Writable({ write: (_chunk, _encoding, done) => done(new Error('EPIPE')) })
    const logger = createLogger({ level: 'info', format: 'text', clock: new FakeClock(), stream: broken })

    logger.info('one')
    await new Promise((resolve) => broken.once('close', resolve))
    logger.info('two')
    await logger.close()

    expect(logger.droppedLines).toBe(1)
  })

  it('leaves no listener behind when it is closed', async () => {
    const before = process.listenerCount('exit')
    const { logger } = start()
    expect(process.listenerCount('exit')).toBe(before + 1)

    await logger.close()

    expect(process.listenerCount('exit')).toBe(before)
  })
})

/** Takes one chunk and confirms it, and all later ones, only when it is released. */
class SlowReader extends Writable {
  text = ''
  #isReleased = false
  #confirm: (() => void) | undefined

  constructor() {
    super({ decodeStrings: false, highWaterMark: 100 })
  }

  override _write(chunk: unknown, _encoding: BufferEncoding, done: () => void): void {
    this.text += String(chunk)
    if (this.#isReleased) done()
    else this.#confirm = done
  }

  release(): void {
    this.#isReleased = true
    this.#confirm?.()
  }
}

function cyclic(): object {
  const value: Record<string, unknown> = {}
  value['self'] = value
  return value
}

function refuse(): never {
  throw new Error('hostile')
}
