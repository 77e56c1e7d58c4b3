import { describe, expect, it } from 'vitest'
import { parseCommand } from '../../../core/processes/command.ts'

const path = '/usr/bin:/bin'

describe('parseCommand', () => {
  it.each([
    ['cat', ['cat']],
    ['  tr  a-z A-Z ', ['tr', 'a-z', 'A-Z']],
    ['/bin/cat -n', ['/bin/cat', '-n']],
  ])('runs %j as it is', (text, command) => {
    expect(parseCommand(text, path)).toEqual(command)
  })

  it.each([
    'cat | wc -l',
    'echo "a b"',
    'echo $HOME',
    'x=1 env',
    'exit 3',
    './here',
    'no-such-program-anywhere',
    'cat *',
  ])('gives %j to a shell', (text) => {
    expect(parseCommand(text, path)).toEqual(['/bin/sh', '-c', text])
  })
})
