const mask = '***'
const secretName =
  /pass(?:word|phrase)?|secret|token|api_?key|private_?key|instance_?key|credential|authorization|cookie/i
const pathName = /(?:file|path|dir|directory|folder)$/i
const userInfo = /(\/\/)[^/?#\s]*@/g
const parameter = /([?&])([\w-]+)=[^&#\s]+/g

/** Returns `text` with the user and password of every URL in it replaced by `***`, and what its query says under a secret name. */
export function maskUserInfo(text: string): string {
  return text
    .replace(userInfo, `$1${mask}@`)
    .replace(parameter, (whole, start: string, name: string) =>
      isSecretName(name) ? `${start}${name}=${mask}` : whole,
    )
}

/** Whether a field of this name holds a secret itself, not the place of one (`tokenFile` does not). */
export function isSecretName(name: string): boolean {
  return secretName.test(name) && !pathName.test(name)
}

/** Returns a copy of plain data in which the strings under secret names and the credentials in URLs are `***`. */
export function maskSecrets(value: unknown): unknown {
  if (typeof value === 'string') return maskUserInfo(value)
  if (Array.isArray(value)) return value.map(maskSecrets)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, maskField(name, field)]))
}

function maskField(name: string, field: unknown): unknown {
  const isEmpty = field === '' || field === undefined || field === null
  return isSecretName(name) && !isEmpty && typeof field !== 'object' ? mask : maskSecrets(field)
}
