import {
  type LogDestination,
  type LogFields,
  type Logger,
  toLoggableFields,
  toLoggableText,
  toTextLine,
  type Clock,
} from '#core/lean'

/** What a logger writes with. */
export interface TextLoggerDeps {
  readonly destination: Pick<LogDestination, 'write'>
  readonly clock: Clock
}

/**
 * Writes one line of text per call, as the gateway does: time, level, message, `key=value`; credentials are masked, debug lines are left
 * out.
 */
export class TextLogger implements Logger {
  readonly #deps: TextLoggerDeps
  readonly #fields: LogFields

  constructor(deps: TextLoggerDeps, fields: LogFields = {}) {
    this.#deps = deps
    this.#fields = fields
  }

  debug(_message: string, _fields?: LogFields): void {
    // Nobody can ask for these lines: what is worth reading here is at least `info`.
  }

  info(message: string, fields?: LogFields): void {
    this.#write('info', message, fields)
  }

  warn(message: string, fields?: LogFields): void {
    this.#write('warn', message, fields)
  }

  error(message: string, fields?: LogFields): void {
    this.#write('error', message, fields)
  }

  child(fields: LogFields): Logger {
    return new TextLogger(this.#deps, { ...this.#fields, ...fields })
  }

  #write(level: string, message: string, fields: LogFields = {}): void {
    const { clock, destination } = this.#deps
    const facts = toLoggableFields({ ...this.#fields, ...fields })
    const time = new Date(clock.nowMs()).toISOString()
    destination.write(toTextLine(JSON.stringify({ time, level, message: toLoggableText(message), ...facts })))
  }
}
