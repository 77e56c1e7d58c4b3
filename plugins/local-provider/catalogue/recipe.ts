/** How functions of certain images are run without containers. */
export interface Recipe {
  /** Image name; `*` stands for any characters. */
  readonly image: string
  /** Program and arguments, or text for a shell; undefined leaves it to the deployment's `fprocess`. */
  readonly command?: readonly string[] | string | undefined
  /** `classic` forks a process per request, `http` runs a server. */
  readonly mode: 'classic' | 'http'
  /** Environment below that of the deployment. */
  readonly env?: Readonly<Record<string, string>> | undefined
}
