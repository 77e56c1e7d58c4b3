import { GatewayError, type FunctionStatus } from '#core'
import { nextTurn } from './next-turn.ts'
import type { ProviderAnswer } from './provider-reader.ts'

/** Functions decoded before the event loop goes on: about a millisecond. */
const perTurn = 500

/**
 * Decodes the status of one function.
 * @throws GatewayError `provider_unavailable` for a status other than 200, or a body that is no function status
 */
export function decodeStatus(answer: ProviderAnswer): FunctionStatus {
  return toFunctionStatus(decodeJson(answer, 'a function status'), answer)
}

/**
 * Decodes a list of functions; `null` is an empty one, as providers written in Go send it.
 * @throws GatewayError `provider_unavailable` when any part of it cannot be read: half a list would look like functions removed
 */
export async function decodeFunctions(answer: ProviderAnswer): Promise<readonly FunctionStatus[]> {
  const functions: FunctionStatus[] = []
  for (const one of decodeArray(answer, 'a list of functions')) {
    functions.push(toFunctionStatus(one, answer))
    if (functions.length % perTurn === 0) await nextTurn()
  }
  return functions
}

/**
 * Decodes the names of namespaces; an empty list for 404 and 501, by which providers say that they have none.
 * @throws GatewayError `provider_unavailable`
 */
export function decodeNamespaces(answer: ProviderAnswer): readonly string[] {
  if (answer.status === 404 || answer.status === 501) return []
  return decodeArray(answer, 'a list of namespaces').map((one) => {
    if (typeof one !== 'string') throw unusable(answer, 'a list of namespaces')
    return one
  })
}

function decodeArray(answer: ProviderAnswer, expected: string): readonly unknown[] {
  const value = decodeJson(answer, expected)
  if (value === null) return []
  if (!Array.isArray(value)) throw unusable(answer, expected)
  return value
}

function decodeJson(answer: ProviderAnswer, expected: string): unknown {
  if (answer.status !== 200) throw unusable(answer, expected)
  try {
    return JSON.parse(answer.text)
  } catch (cause) {
    throw unusable(answer, expected, cause)
  }
}

function toFunctionStatus(value: unknown, answer: ProviderAnswer): FunctionStatus {
  const fields = recordOf(value)
  if (fields === undefined || typeof fields['name'] !== 'string') throw unusable(answer, 'a function status')
  // Go providers write absent values as null.
  const status = Object.fromEntries(Object.entries(fields).filter(([, field]) => field !== null))
  if (!isCount(status['replicas']) || !isCount(status['availableReplicas']) || !isText(status['namespace'])) {
    throw unusable(answer, 'a function status')
  }
  return {
    ...status,
    name: fields['name'],
    labels: textsOf(fields['labels']),
    annotations: textsOf(fields['annotations']),
  }
}

function recordOf(value: unknown): Record<string, unknown> | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  return Object.fromEntries(Object.entries(value))
}

function textsOf(value: unknown): Record<string, string> {
  const texts: Record<string, string> = {}
  for (const [key, text] of Object.entries(recordOf(value) ?? {})) if (typeof text === 'string') texts[key] = text
  return texts
}

function isCount(value: unknown): boolean {
  return value === undefined || (Number.isSafeInteger(value) && Number(value) >= 0)
}

function isText(value: unknown): boolean {
  return value === undefined || typeof value === 'string'
}

const excerptLength = 200

function unusable({ status, text }: ProviderAnswer, expected: string, parserError?: unknown): GatewayError {
  const message =
    status === 200
      ? `the provider answered something that is not ${expected}`
      : `the provider answered ${status} where ${expected} was asked for`
  // The text may name internal addresses: it is for logs, as a cause.
  const cause = new Error(`answer of the provider: ${text.slice(0, excerptLength)}`, { cause: parserError })
  return new GatewayError('provider_unavailable', message, { cause, details: { providerStatus: status } })
}
