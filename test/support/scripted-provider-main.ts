/** A scripted provider as a process of its own, for benchmarks. Obeys the messages of scripted-provider-process.ts. */
import { ScriptedProvider } from './scripted-provider.ts'
import type { ProviderAnswer, ProviderCommand } from './scripted-provider-process.ts'

const provider = await ScriptedProvider.start()

function obey(command: ProviderCommand): unknown {
  switch (command.do) {
    case 'add':
      provider.add(command.script)
      return undefined
    case 'remove':
      provider.remove(command.name)
      return undefined
    case 'counts': {
      const counts: Record<string, number> = {}
      for (const { kind } of provider.calls) counts[kind] = (counts[kind] ?? 0) + 1
      return counts
    }
    case 'readyAtMs':
      return provider.function(command.name).readyAtMs
  }
}

process.on('message', (command: ProviderCommand) => {
  const answer: ProviderAnswer = { to: command.id, value: obey(command) }
  process.send?.(answer)
})
process.on('disconnect', () => process.exit())
process.send?.({ url: provider.url })
