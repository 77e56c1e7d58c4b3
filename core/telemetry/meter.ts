import type { Meter as OtelMeter } from '@opentelemetry/api'
import { token } from '../container/token.ts'

/** The OpenTelemetry meter that every instrument of the gateway is made from. */
export type Meter = OtelMeter

/** Token of the {@link Meter}. */
export const Meter = token<Meter>('Meter')
