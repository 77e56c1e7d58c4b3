import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Deployment } from '../functions/deployment.ts'
import { Refusal } from '../refusal.ts'
import type { StateDirectory } from './state-directory.ts'

/** Names one secret. Both parts are DNS labels, checked by the caller. */
export interface SecretName {
  readonly name: string
  readonly namespace: string
}

/** Secrets as files of their own, readable by the gateway's user only. Values go in and never come out of the API. */
export class SecretStore {
  readonly #directory: StateDirectory

  constructor(directory: StateDirectory) {
    this.#directory = directory
  }

  /** Names of the secrets of a namespace, in order. */
  list(namespace: string): readonly string[] {
    const folder = join(this.#directory.secrets, namespace)
    if (!existsSync(folder)) return []
    return readdirSync(folder)
      .filter((name) => !name.startsWith('.'))
      .toSorted()
  }

  /** @throws Refusal 409 when it exists */
  create(secret: SecretName, value: Uint8Array): void {
    if (this.#has(secret))
      throw new Refusal(409, `secret "${secret.name}" exists already in namespace "${secret.namespace}"`)
    this.#write(secret, value)
  }

  /** @throws Refusal 404 */
  update(secret: SecretName, value: Uint8Array): void {
    this.#require(secret, 404)
    this.#write(secret, value)
  }

  /** @throws Refusal 404 */
  remove(secret: SecretName): void {
    this.#require(secret, 404)
    rmSync(this.#pathOf(secret))
  }

  /** Removes all secrets of a namespace. */
  removeNamespace(namespace: string): void {
    rmSync(join(this.#directory.secrets, namespace), { recursive: true, force: true })
  }

  /** @throws Refusal 400 naming a secret that the deployment lists and that does not exist */
  requireAll({ namespace, secrets }: Deployment): void {
    for (const name of secrets ?? []) this.#require({ name, namespace }, 400)
  }

  /** Shows a function the secrets that its deployment lists, and no others. A later change of a value is seen by it. */
  show({ service, namespace, secrets }: Deployment): void {
    const folder = this.#directory.secretsOf(namespace, service)
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    for (const name of new Set(secrets ?? [])) symlinkSync(this.#pathOf({ name, namespace }), join(folder, name))
  }

  #has(secret: SecretName): boolean {
    return existsSync(this.#pathOf(secret))
  }

  #require(secret: SecretName, status: number): void {
    if (this.#has(secret)) return
    throw new Refusal(status, `there is no secret "${secret.name}" in namespace "${secret.namespace}"`)
  }

  /** A reader sees the old value or the new one. */
  #write(secret: SecretName, value: Uint8Array): void {
    mkdirSync(join(this.#directory.secrets, secret.namespace), { recursive: true, mode: 0o700 })
    const draft = join(this.#directory.secrets, secret.namespace, `.${secret.name}.new`)
    writeFileSync(draft, value, { mode: 0o600 })
    renameSync(draft, this.#pathOf(secret))
  }

  #pathOf({ name, namespace }: SecretName): string {
    return join(this.#directory.secrets, namespace, name)
  }
}
