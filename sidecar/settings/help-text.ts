import { sidecarVariables } from './variables.ts'

/** What `pilotlight sidecar --help` prints. */
export function helpText(): string {
  const width = Math.max(...sidecarVariables.map(({ name }) => name.length))
  const lines = sidecarVariables.map(({ name, meaning }) => `  ${name.padEnd(width)}  ${meaning.replaceAll('`', '')}`)
  return [
    'Usage: pilotlight sidecar [options] [-- command...]',
    '',
    'Runs beside one instance of a function, in front of its server or its program.',
    '',
    'Options:',
    '  --check-config  check the settings and exit: 0 when they are usable, 2 with every fault when not',
    '  --version       print the version and exit',
    '  --help          print this help and exit',
    '',
    'Environment:',
    ...lines,
    '',
    'Exit codes: 0 after SIGTERM or SIGINT, 1 failure, 2 wrong usage or settings.',
    '',
  ].join('\n')
}
