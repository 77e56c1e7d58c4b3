import type { HeaderList } from '#core/lean'
import type { FunctionCall } from './function-runner.ts'

/**
 * Returns the variables by which a classic function learns about its call: `Http_Method`, `Http_Path` (decoded), `Http_Query`
 * (raw), `Http_ContentLength` (-1 for a body of unknown length), `Http_Host`, `Http_Transfer_Encoding` (where there is one) and
 * `Http_<Header>` for the first value of each header, named as Go writes headers, with `_` for `-`. No header can pass for one of the
 * others, nor, on systems that do not tell cases apart, for the proxy of the function's own calls: `Proxy` is left out.
 * @see https://httpoxy.org
 */
export function callEnvironment({
  request,
  headers,
}: Pick<FunctionCall, 'request' | 'headers'>): Record<string, string> {
  const variables = headerVariables(headers)
  const { target } = request
  const queryAt = target.indexOf('?')
  variables['Http_Method'] = request.method
  variables['Http_Path'] = decodedPath(queryAt === -1 ? target : target.slice(0, queryAt))
  variables['Http_Query'] = queryAt === -1 ? '' : target.slice(queryAt + 1)
  variables['Http_ContentLength'] = String(request.body.length ?? -1)
  variables['Http_Host'] = request.header('host') ?? ''
  const encoding = request.header('transfer-encoding')
  if (encoding === undefined) delete variables['Http_Transfer_Encoding']
  else variables['Http_Transfer_Encoding'] = encoding
  return variables
}

function headerVariables(headers: HeaderList): Record<string, string> {
  const variables: Record<string, string> = {}
  for (let i = 0; i < headers.length; i += 2) {
    const name = canonical(headers[i] ?? '')
    if (name !== 'Proxy') variables[`Http_${name}`] ??= headers[i + 1] ?? ''
  }
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
