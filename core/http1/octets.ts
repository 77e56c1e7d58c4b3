/** Bytes with a meaning in HTTP/1.1. */
export const octet = {
  tab: 0x09,
  lineFeed: 0x0a,
  carriageReturn: 0x0d,
  space: 0x20,
  colon: 0x3a,
  semicolon: 0x3b,
} as const

/** 1 for each byte that may stand in a method or a header's name. @see RFC 9110 section 5.6.2 */
export const tokenOctets: Uint8Array = tableOf((byte) => /[!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(String.fromCharCode(byte)))

/** 1 for each byte that may stand in a header's value or a reason phrase: no control but the tab. @see RFC 9110 section 5.5 */
export const textOctets: Uint8Array = tableOf((byte) => byte === octet.tab || (byte >= octet.space && byte !== 0x7f))

/** The value of each hexadecimal digit, 255 for every other byte. */
export const hexValues: Uint8Array = new Uint8Array(256).map((_, byte) => {
  const digit = '0123456789abcdef'.indexOf(String.fromCharCode(byte).toLowerCase())
  return digit === -1 ? 255 : digit
})

function tableOf(holds: (byte: number) => boolean): Uint8Array {
  return new Uint8Array(256).map((_, byte) => (holds(byte) ? 1 : 0))
}
