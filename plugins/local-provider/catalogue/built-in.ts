import { fileURLToPath } from 'node:url'
import type { Recipe } from './recipe.ts'

/** Path of a sample function's source in this installation. */
function sample(file: string): string {
  return fileURLToPath(new URL(`../../../deploy/local/${file}`, import.meta.url))
}

const node = process.execPath

/**
 * Recipes that need no configuration: the sample functions, and the images with a classic watchdog and no program of their
 * own, whose `fprocess` is run with the programs of this machine.
 */
export const builtInRecipes: readonly Recipe[] = [
  { image: 'pilotlight/hello*', mode: 'http', command: [node, sample('hello.js')] },
  { image: 'pilotlight/slow-start*', mode: 'http', command: [node, sample('slow-start.js')] },
  { image: 'pilotlight/upper*', mode: 'classic', command: ['tr', 'a-z', 'A-Z'] },
  { image: 'pilotlight/env*', mode: 'classic', command: ['env'] },
  { image: 'ghcr.io/openfaas/alpine:*', mode: 'classic' },
  { image: 'functions/alpine:*', mode: 'classic' },
  { image: 'alpine', mode: 'classic' },
  { image: 'alpine:*', mode: 'classic' },
]
