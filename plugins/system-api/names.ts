import { textReply, type Reply } from '#core'

const validName = /^[-a-zA-Z0-9_.]{1,253}$/

/**
 * Encodes a function's or namespace's name as one path segment, or returns undefined when it is no name: then it must not
 * reach the provider, where `..` would be another path.
 */
export function nameSegment(name: string): string | undefined {
  return validName.test(name) && name !== '.' && name !== '..' ? encodeURIComponent(name) : undefined
}

/** What a path with an impossible name is answered: the same as a path that no route matches. */
export function noSuchPath(): Reply {
  return textReply(404, '404 page not found\n')
}
