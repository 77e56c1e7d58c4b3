/**
 * Reads the base URL of a gateway.
 * @throws Error that says what is wrong with it, without repeating a password
 */
export function gatewayUrl(text: string): URL {
  const url = URL.parse(text)
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new Error(
      `expected a URL such as http://gateway.openfaas:8080, got ${JSON.stringify(withoutCredentials(text))}`,
    )
  }
  if (url.username !== '' || url.password !== '') {
    throw new Error(
      `the URL of the gateway ${url.host} has a name or a password in it: remove them, reports are signed with the instance key instead`,
    )
  }
  if (url.search !== '' || url.hash !== '') {
    throw new Error(`the URL of the gateway ${url.host} has a query or a fragment: only a path may follow the host`)
  }
  return url
}

function withoutCredentials(text: string): string {
  return text.replace(/[^/]*@/, '')
}
