import { functionIdentity, type FunctionIdentity } from '#core'

/** One alert of a notification. */
export interface Alert {
  /** Its place in the notification, from 0. */
  readonly index: number
  readonly isFiring: boolean
  /** The function it is about, or undefined when it names none. */
  readonly target: FunctionIdentity | undefined
}

/**
 * Decodes a notification of Alertmanager (webhook, version 4), of which only `status` and the label `function_name` of each
 * alert count; undefined when it is none.
 *
 * @param defaultNamespace namespace of functions named without one
 */
export function decodeAlerts(text: string, defaultNamespace: string): readonly Alert[] | undefined {
  const notification = parsed(text)
  if (typeof notification !== 'object' || notification === null) return undefined
  const alerts = fieldOf(notification, 'alerts') ?? []
  if (!Array.isArray(alerts)) return undefined
  return alerts.map((alert: unknown, index) => ({
    index,
    isFiring: fieldOf(alert, 'status') === 'firing',
    target: identityOf(fieldOf(fieldOf(alert, 'labels'), 'function_name'), defaultNamespace),
  }))
}

function identityOf(label: unknown, defaultNamespace: string): FunctionIdentity | undefined {
  if (typeof label !== 'string') return undefined
  const dot = label.lastIndexOf('.')
  const name = dot === -1 ? label : label.slice(0, dot)
  const namespace = dot === -1 ? defaultNamespace : label.slice(dot + 1) || defaultNamespace
  return name === '' ? undefined : functionIdentity(name, namespace)
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && name in value ? Reflect.get(value, name) : undefined
}
