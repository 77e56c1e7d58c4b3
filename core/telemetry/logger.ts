import { token } from '../container/token.ts'

/** Facts that accompany a log line. */
export type LogFields = Readonly<Record<string, unknown>>

/** Structured, asynchronous log. Never throws, never blocks the caller on a slow reader. */
export interface Logger {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  /** A logger that adds `fields` to every line. */
  child(fields: LogFields): Logger
}

/** Token of the {@link Logger}. */
export const Logger = token<Logger>('Logger')
