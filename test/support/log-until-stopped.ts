// Logs without end to standard output, and tells its parent about each turn of the event loop, until it is told to stop.
import { createLogger } from '../../core/telemetry/pino-logger.ts'
import { SystemClock } from '../../core/time/system-clock.ts'

const logger = createLogger({ level: 'info', format: 'text', clock: new SystemClock(), maxWaiting: 100_000 })
const flood = setInterval(() => {
  for (let line = 0; line < 200; line += 1) logger.info('x'.repeat(1000))
  process.send?.({ dropped: logger.droppedLines, heapBytes: process.memoryUsage().heapUsed })
}, 5)

process.once('message', () => {
  clearInterval(flood)
  process.disconnect?.()
  void logger.close().then(() => process.exit(0))
})
