import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { Plugin } from '../../core/plugin/plugin.ts'
import { projectRoot } from './source-files.ts'

/** One option of a plugin, as its schema and its doc comment describe it. */
export interface PluginOption {
  readonly plugin: string
  readonly option: string
  /** JSON of the default, or undefined when there is none. */
  readonly defaultText: string | undefined
  /** The doc comment; empty when there is none. */
  readonly meaning: string
}

/** The folders of `plugins` that hold a plugin. */
export function pluginFolders(): readonly string[] {
  const folder = join(projectRoot, 'plugins')
  return readdirSync(folder).filter((name) => existsSync(join(folder, name, 'index.ts')))
}

/** Imports a plugin of the project by the name of its folder. */
export async function importPlugin(name: string): Promise<Plugin> {
  const module: { readonly default?: Plugin; readonly plugin?: Plugin } = await import(
    join(projectRoot, 'plugins', name, 'index.ts')
  )
  const plugin = module.default ?? module.plugin
  if (plugin === undefined) throw new Error(`plugins/${name}/index.ts exports no plugin`)
  return plugin
}

/** Returns every option of a plugin, in the order of its schema. */
export async function optionsOf(name: string): Promise<readonly PluginOption[]> {
  const { options } = await importPlugin(name)
  if (!(options instanceof z.ZodType)) throw new Error(`the options of ${name} are no zod schema`)
  const { properties = {} } = z.toJSONSchema(options, { io: 'input', unrepresentable: 'any' })
  const path = join(projectRoot, 'plugins', name, 'options.ts')
  const text = existsSync(path) ? readFileSync(path, 'utf8') : ''
  return Object.entries(properties).map(([option, schema]) => ({
    plugin: name,
    option,
    defaultText: typeof schema === 'object' && 'default' in schema ? JSON.stringify(schema.default) : undefined,
    meaning: docCommentOf(text, option),
  }))
}

function docCommentOf(text: string, option: string): string {
  const comment = new RegExp(String.raw`/\*\*((?:(?!\*/)[\s\S])*)\*/\s*${option}:`).exec(text)?.[1] ?? ''
  return comment
    .replaceAll(/^\s*\*/gm, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()
}
