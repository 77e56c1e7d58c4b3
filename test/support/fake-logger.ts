import type { LogFields, Logger } from '../../core/telemetry/logger.ts'

/** One line that was logged. */
export interface LoggedLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  readonly fields: LogFields
}

/** Keeps what is logged, by itself and by its children, in one list. */
export class FakeLogger implements Logger {
  readonly lines: LoggedLine[]
  readonly #fields: LogFields

  constructor(lines: LoggedLine[] = [], fields: LogFields = {}) {
    this.lines = lines
    this.#fields = fields
  }

  debug(message: string, fields: LogFields = {}): void {
    this.#keep('debug', message, fields)
  }

  info(message: string, fields: LogFields = {}): void {
    this.#keep('info', message, fields)
  }

  warn(message: string, fields: LogFields = {}): void {
    this.#keep('warn', message, fields)
  }

  error(message: string, fields: LogFields = {}): void {
    this.#keep('error', message, fields)
  }

  child(fields: LogFields): FakeLogger {
    return new FakeLogger(this.lines, { ...this.#fields, ...fields })
  }

  /** Messages of one level, in order. */
  messages(level: LoggedLine['level']): string[] {
    return this.lines.filter((line) => line.level === level).map((line) => line.message)
  }

  #keep(level: LoggedLine['level'], message: string, fields: LogFields): void {
    this.lines.push({ level, message, fields: { ...this.#fields, ...fields } })
  }
}
