import { BufferReply, jsonReply, textReply, type Reply, type SystemRequest } from '#core'
import type { ProviderPass } from './provider-pass.ts'

const maxListBytes = 32 * 1024 * 1024
const neverCreated = '0001-01-01T00:00:00Z' // Go's zero time, which clients decode

/**
 * Answers `GET /system/functions`: the provider's list with its unknown fields, `createdAt` always present. Failures look
 * as OpenFaaS clients know them.
 */
export async function listFunctions(pass: ProviderPass, request: SystemRequest): Promise<Reply> {
  // The list is read here, so its encoding must be plain.
  const response = await pass.call(request, `system/functions${request.search}`, {
    headers: { 'accept-encoding': 'identity' },
  })
  if (response === undefined) return new BufferReply(502, { 'Content-Type': 'text/plain; charset=utf-8' }, '\n')
  const text = await response.text(maxListBytes).catch(() => undefined)
  request.request.signal.throwIfAborted()
  if (response.status !== 200) return textReply(response.status, `${text ?? ''}\n`)
  const list = text === undefined ? undefined : decodeList(text)
  if (list === undefined) return textReply(500, 'Unable to parse list of functions from provider\n')
  return jsonReply(200, list)
}

/** Returns the decoded list, `null` as providers in Go send an empty one, or undefined when it is none. */
function decodeList(text: string): readonly unknown[] | null | undefined {
  try {
    const list: unknown = JSON.parse(text)
    if (list === null) return null
    return Array.isArray(list) ? list.map(withCreation) : undefined
  } catch {
    return undefined
  }
}

function withCreation(one: unknown): unknown {
  return typeof one === 'object' && one !== null && !('createdAt' in one) ? { ...one, createdAt: neverCreated } : one
}
