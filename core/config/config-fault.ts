/** One reason why a configuration cannot be used. */
export interface ConfigFault {
  /** Where the value stands: `pilotlight.yaml:3: plugins[0].use`, `environment: PILOTLIGHT_PORT` or `flag: --port`. */
  readonly where: string
  /** What is wrong with it and what would be right, without secrets. */
  readonly text: string
}
