import { BufferReply, type Reply, type SystemHandler, type SystemMiddleware, type SystemRequest } from '#core'
import type { CredentialFiles } from './credential-files.ts'

/** Paths that want credentials; functions and health stay open. */
const guarded = ['/system', '/ui'] as const

/** Lets requests pass that bear the account, and answers others as OpenFaaS does: faas-cli takes any 401 as "log in". */
export function basicAuth(files: CredentialFiles): readonly SystemMiddleware[] {
  const handle = async (request: SystemRequest, next: SystemHandler): Promise<Reply> => {
    const credentials = await files.current()
    return credentials.admits(request.request.header('authorization')) ? next(request) : refused()
  }
  return guarded.map((prefix) => ({ prefix, handle }))
}

function refused(): Reply {
  const headers = { 'Content-Type': 'text/plain; charset=utf-8', 'WWW-Authenticate': 'Basic realm="Restricted"' }
  return new BufferReply(401, headers, 'invalid credentials')
}
