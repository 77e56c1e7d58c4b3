/** What the name `pilotlight` stands for when the gateway loads a plugin: for the type checker, inside this project. */
declare module 'pilotlight' {
  export * from '#core'
}
