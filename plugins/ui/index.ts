import { definePlugin, type SystemRequest } from '#core'
import { uiOptions } from './options.ts'
import { StaticFiles } from './static-files.ts'

const root = '/ui/'

/** Serves the page from which people list, call, deploy and remove functions. */
export const plugin = definePlugin({
  name: 'ui',
  needs: {},
  options: uiOptions,
  async setup() {
    const files = await StaticFiles.load(new URL('./assets/', import.meta.url))
    const handle = async ({ request, path }: SystemRequest) =>
      files.reply(request, path.slice(root.length) || 'index.html')
    return { routes: [{ methods: ['GET', 'HEAD'], path: `${root}*`, handle }] }
  },
})
