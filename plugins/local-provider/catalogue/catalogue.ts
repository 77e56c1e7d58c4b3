import { Refusal } from '../refusal.ts'
import type { Recipe } from './recipe.ts'

/** Knows how to run images as local processes. The first recipe whose pattern fits wins. */
export class Catalogue {
  readonly #entries: readonly { readonly pattern: RegExp; readonly recipe: Recipe }[]

  constructor(recipes: readonly Recipe[]) {
    this.#entries = recipes.map((recipe) => ({ pattern: toPattern(recipe.image), recipe }))
  }

  /** @throws Refusal 400 that names the image and the patterns that there are */
  recipeFor(image: string): Recipe {
    const found = this.#entries.find(({ pattern }) => pattern.test(image))
    if (found !== undefined) return found.recipe
    const known = this.#entries.map(({ recipe }) => recipe.image).join(', ')
    throw new Refusal(
      400,
      `image "${image}" is not in the catalogue of the local provider, which runs functions as processes of this machine; ` +
        `add it to the option "catalogue" of the plugin local-provider (known: ${known})`,
    )
  }
}

function toPattern(text: string): RegExp {
  const escaped = text.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`)
  return new RegExp(`^${escaped.replaceAll('*', '.*')}$`)
}
