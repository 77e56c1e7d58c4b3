/** What is added to every function, and how. */
export interface InjectOptions {
  /** `native`: an init container that goes on running (Kubernetes 1.29 and newer); `classic`: one more container. */
  readonly form: 'native' | 'classic'
  /** Whether every Deployment is taken for a function, not only those with the label `faas_function`. */
  readonly takesAll: boolean
  readonly image: string
  /** Base URLs, comma-separated. */
  readonly gateways: string
  /** Secret in the namespace of the function, whose entry `instance-key` the sidecar signs with. */
  readonly keySecret: string
  /** Where the function shall listen from now on, by its variable `port`; undefined leaves it where it is. */
  readonly functionPort: number | undefined
  /** Path or URL of the function's own metrics; empty for none. */
  readonly functionMetrics: string
}
