import type { FunctionCall } from '../replicas/replica.ts'

/**
 * Returns the variables by which a classic function learns about its call: `Http_Method`, `Http_Path` (decoded), `Http_Query`
 * (raw), `Http_ContentLength` (-1 for a body of unknown length) and `Http_<Header>` for the first value of each header, named
 * as Go writes headers, with `_` for `-`. No header can pass for one of the first four.
 */
export function callEnvironment({ request, rest }: FunctionCall): Record<string, string> {
  const variables: Record<string, string> = {}
  const { rawHeaders } = request
  for (let i = 0; i < rawHeaders.length; i += 2) {
    variables[`Http_${canonical(rawHeaders[i] ?? '')}`] ??= rawHeaders[i + 1] ?? ''
  }
  const queryAt = rest.indexOf('?')
  variables['Http_Method'] = request.method
  variables['Http_Path'] = decodedPath(queryAt === -1 ? rest : rest.slice(0, queryAt))
  variables['Http_Query'] = queryAt === -1 ? '' : rest.slice(queryAt + 1)
  variables['Http_ContentLength'] = String(request.body.length ?? -1)
  return variables
}

/** `x-call-ID` becomes `X_Call_Id`. */
function canonical(name: string): string {
  return name
    .split('-')
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1).toLowerCase())
    .join('_')
}

/** A path that cannot be decoded, or would end early in an environment variable, is given as it came. */
function decodedPath(path: string): string {
  const raw = path === '' ? '/' : path
  try {
    const decoded = decodeURIComponent(raw)
    return decoded.includes('\0') ? raw : decoded
  } catch {
    return raw
  }
}
