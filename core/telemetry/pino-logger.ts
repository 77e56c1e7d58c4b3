import type { Writable } from 'node:stream'
import { pino, type Logger as Pino } from 'pino'
import type { GatewayConfig } from '../config/gateway-config.ts'
import type { Clock } from '../time/clock.ts'
import { LogDestination, openStandardOutput } from './log-destination.ts'
import { toLoggableFields, toLoggableText } from './loggable.ts'
import type { LogFields, Logger } from './logger.ts'
import { toTextLine } from './text-line.ts'

/** What a {@link RootLogger} is made of. */
export interface LoggerOptions {
  readonly level: GatewayConfig['logLevel']
  readonly format: GatewayConfig['logFormat']
  readonly clock: Clock
  /** Default standard output. */
  readonly stream?: Writable
  /** Most characters that wait for a slow reader. Default 1 MiB. */
  readonly maxWaiting?: number
}

/** The logger that all others are children of; it owns the output. */
export interface RootLogger extends Logger {
  /** Lines that a slow or absent reader has cost so far. */
  readonly droppedLines: number
  /**
   * Resolves when all lines are written, or after a second with a reader that does not read. The output itself is not
   * closed; with a reader that does not read, only `process.exit` ends the process.
   */
  close(): Promise<void>
}

/**
 * Creates the gateway's logger: one line per call on standard output, `text` or `json`, credentials masked. Logging never
 * throws and never blocks; lines that nobody reads in time are dropped and counted, and a later line says how many.
 */
export function createLogger(options: LoggerOptions): RootLogger {
  const destination = new LogDestination({
    stream: options.stream ?? openStandardOutput(),
    clock: options.clock,
    ...(options.maxWaiting === undefined ? {} : { maxWaiting: options.maxWaiting }),
    onDropped: (lines) => logger.warn('log lines dropped: the reader is too slow', { lines }),
  })
  const write = (line: string): void => destination.write(options.format === 'text' ? toTextLine(line) : line)
  const logger = new PinoRootLogger(pino(settings(options), { write }), destination)
  return logger
}

function settings({ level, clock }: LoggerOptions) {
  return {
    level,
    // Neither process id nor host name: one process per container, and the platform adds its own labels.
    base: null,
    messageKey: 'message',
    timestamp: () => `,"time":"${new Date(clock.nowMs()).toISOString()}"`,
    // Errors are already plain data when pino sees them.
    serializers: { err: (value: unknown) => value },
    formatters: { level: (label: string) => ({ level: label }), log: toLoggableFields },
  }
}

class PinoLogger implements Logger {
  readonly #pino: Pino

  constructor(wrapped: Pino) {
    this.#pino = wrapped
  }

  debug(message: string, fields: LogFields = {}): void {
    this.#pino.debug(fields, toLoggableText(message))
  }

  info(message: string, fields: LogFields = {}): void {
    this.#pino.info(fields, toLoggableText(message))
  }

  warn(message: string, fields: LogFields = {}): void {
    this.#pino.warn(fields, toLoggableText(message))
  }

  error(message: string, fields: LogFields = {}): void {
    this.#pino.error(fields, toLoggableText(message))
  }

  child(fields: LogFields): Logger {
    return new PinoLogger(this.#pino.child(toLoggableFields(fields)))
  }
}

class PinoRootLogger extends PinoLogger implements RootLogger {
  readonly #destination: LogDestination

  constructor(wrapped: Pino, destination: LogDestination) {
    super(wrapped)
    this.#destination = destination
  }

  get droppedLines(): number {
    return this.#destination.dropped
  }

  close(): Promise<void> {
    return this.#destination.close()
  }
}
