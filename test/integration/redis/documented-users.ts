import { readFileSync } from 'node:fs'

const page = readFileSync(new URL('../../../core/redis/README.md', import.meta.url), 'utf8')

/** The rules that the README gives for the user of gateways, and for their user at Sentinels. */
export const [storeRules = '', sentinelRules = ''] = [...page.matchAll(/^user (pilotlight on .*)$/gm)].map(
  ([, rules]) => rules,
)

/** Adds user and password of the README's user to a URL. */
export function withUser(url: string): string {
  return url.replace('://', '://pilotlight:secret@')
}
