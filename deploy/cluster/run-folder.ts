import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The user that the management API asks for. */
export const managementUser = 'admin'

/** The folder of one run: configurations, logs, state. Only its user can read it. */
export class RunFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'pilotlight-cluster-'))
  /** Password of {@link managementUser}, made for this run. */
  readonly password = randomBytes(16).toString('hex')

  /** The file that a program's output goes to. */
  logOf(program: string): string {
    return join(this.folder('logs'), `${program}.log`)
  }

  /** Returns a folder, made where it is missing. */
  folder(name: string): string {
    const path = join(this.path, name)
    mkdirSync(path, { recursive: true, mode: 0o700 })
    return path
  }

  /** Writes a file and returns its path. */
  write(name: string, text: string): string {
    const path = join(this.path, name)
    writeFileSync(path, text, { mode: 0o600 })
    return path
  }

  /** Writes the account of this run as files, as OpenFaaS has it, and returns their folder. */
  writeSecrets(): string {
    const path = this.folder('secrets')
    this.write('secrets/basic-auth-user', managementUser)
    this.write('secrets/basic-auth-password', this.password)
    return path
  }

  /** Writes the key that gateways and sidecars of this run share, and returns its path. */
  writeInstanceKey(): string {
    return this.write('instance-key', randomBytes(32).toString('base64url'))
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}
