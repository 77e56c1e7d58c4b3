import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { GatewayError, type Clock, type Logger } from '#core'
import { Credentials } from './credentials.ts'

/** What the files are read with. */
export interface CredentialFilesDeps {
  readonly clock: Clock
  readonly log: Logger
  /** How long credentials are used before the files are looked at again, milliseconds; 0 is for ever. */
  readonly reloadIntervalMs: number
}

/**
 * The account in the files `basic-auth-user` and `basic-auth-password` of a folder, trimmed of white space. Changed files are
 * read again; while they cannot be read, the account read last holds.
 */
export class CredentialFiles {
  readonly #paths: readonly [user: string, password: string]
  readonly #deps: CredentialFilesDeps
  #credentials: Credentials
  #mark: string
  #checkedAtMs: number
  #checking: Promise<void> | undefined
  #failed = false

  private constructor(
    paths: readonly [string, string],
    deps: CredentialFilesDeps,
    loaded: { credentials: Credentials; mark: string },
  ) {
    this.#paths = paths
    this.#deps = deps
    this.#credentials = loaded.credentials
    this.#mark = loaded.mark
    this.#checkedAtMs = deps.clock.monotonicMs()
  }

  /** @throws GatewayError `config_invalid` naming the file that is missing, unreadable or empty */
  static async open(folder: string, deps: CredentialFilesDeps): Promise<CredentialFiles> {
    const paths = [join(folder, 'basic-auth-user'), join(folder, 'basic-auth-password')] as const
    const mark = await markOf(paths).catch(() => '') // an unreadable file is named by the reading
    return new CredentialFiles(paths, deps, { credentials: await load(paths), mark })
  }

  /** Returns the account that holds now. */
  async current(): Promise<Credentials> {
    const { clock, reloadIntervalMs } = this.#deps
    if (reloadIntervalMs > 0 && clock.monotonicMs() - this.#checkedAtMs >= reloadIntervalMs) {
      this.#checking ??= this.#check().finally(() => (this.#checking = undefined))
      await this.#checking
    }
    return this.#credentials
  }

  async #check(): Promise<void> {
    const { clock, log } = this.#deps
    this.#checkedAtMs = clock.monotonicMs()
    try {
      const mark = await markOf(this.#paths)
      if (mark !== this.#mark) {
        this.#credentials = await load(this.#paths)
        this.#mark = mark
        log.info('credentials of basic auth read again')
      }
      this.#failed = false
    } catch (error) {
      if (!this.#failed) log.warn('credentials of basic auth cannot be read again; the ones before hold', { error })
      this.#failed = true
    }
  }
}

async function load([userPath, passwordPath]: readonly [string, string]): Promise<Credentials> {
  return new Credentials(await secretIn(userPath), await secretIn(passwordPath))
}

async function secretIn(path: string): Promise<string> {
  const remedy = 'mount the secret there, set secret_mount_path, or turn basic_auth off'
  let text: string
  try {
    text = (await readFile(path, 'utf8')).trim()
  } catch (cause) {
    throw new GatewayError('config_invalid', `basic auth is on but "${path}" cannot be read; ${remedy}`, { cause })
  }
  if (text === '') throw new GatewayError('config_invalid', `basic auth is on but "${path}" is empty; ${remedy}`)
  return text
}

/** Changes whenever a file is written or, as with mounted secrets, its link points elsewhere. */
async function markOf(paths: readonly string[]): Promise<string> {
  const facts = await Promise.all(paths.map((path) => stat(path)))
  return facts.map(({ ino, mtimeMs, size }) => `${ino} ${mtimeMs} ${size}`).join(', ')
}
