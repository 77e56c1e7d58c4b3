/** What the arguments of the process ask for. */
export type AskedFor =
  | { readonly action: 'run' | 'check'; readonly command: readonly string[] }
  | { readonly action: 'help' }
  | { readonly action: 'version' }
  | { readonly action: 'refuse'; readonly text: string }

/** Reads the arguments behind `sidecar`. */
export function readArguments(argv: readonly string[]): AskedFor {
  const [options, command] = split(argv)
  let action: 'run' | 'check' = 'run'
  for (const option of options) {
    if (option === '--help') return { action: 'help' }
    if (option === '--version') return { action: 'version' }
    if (option !== '--check-config') return { action: 'refuse', text: `unknown argument ${JSON.stringify(option)}` }
    action = 'check'
  }
  return { action, command }
}

function split(argv: readonly string[]): [options: readonly string[], command: readonly string[]] {
  const at = argv.indexOf('--')
  return at === -1 ? [argv, []] : [argv.slice(0, at), argv.slice(at + 1)]
}
