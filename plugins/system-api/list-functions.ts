import { BufferReply, textReply, type Reply, type SystemRequest } from '#core'
import { passOn, type ProviderPass } from './provider-pass.ts'

const maxRefusalBytes = 64 * 1024

/**
 * Answers `GET /system/functions` with the provider's list as it came; failures look as OpenFaaS clients know them. The list
 * is asked for without an encoding, so that system middleware can read it.
 */
export async function listFunctions(pass: ProviderPass, request: SystemRequest): Promise<Reply> {
  const headers = { 'accept-encoding': 'identity' }
  const response = await pass.call(request, `system/functions${request.search}`, { headers })
  if (response === undefined) return new BufferReply(502, { 'Content-Type': 'text/plain; charset=utf-8' }, '\n')
  if (response.status === 200) return passOn(response)
  const text = await response.text(maxRefusalBytes).catch(() => '')
  return textReply(response.status, `${text}\n`)
}
