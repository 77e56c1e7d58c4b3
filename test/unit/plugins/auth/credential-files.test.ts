import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CredentialFiles } from '../../../../plugins/auth/credential-files.ts'
import { FakeClock } from '../../../support/fake-clock.ts'
import { FakeLogger } from '../../../support/fake-logger.ts'
import { temporaryFile, type TemporaryFile } from '../../../support/temporary-file.ts'

const reloadIntervalMs = 1_000

function basic(account: string): string {
  return `Basic ${Buffer.from(account).toString('base64')}`
}

describe('CredentialFiles', () => {
  let folder: TemporaryFile
  let passwordPath: string
  let clock: FakeClock
  let log: FakeLogger

  beforeEach(() => {
    folder = temporaryFile('basic-auth-user', 'admin\n')
    passwordPath = join(folder.directory, 'basic-auth-password')
    writeFileSync(passwordPath, 'first')
    clock = new FakeClock()
    log = new FakeLogger()
  })

  afterEach(() => folder[Symbol.dispose]())

  async function admits(files: CredentialFiles, password: string): Promise<boolean> {
    return (await files.current()).admits(basic(`admin:${password}`))
  }

  /** Puts a new file in the place of the old one, as mounted secrets do. */
  function rotate(password: string): void {
    writeFileSync(`${passwordPath}.new`, password)
    renameSync(`${passwordPath}.new`, passwordPath)
  }

  it('looks at the files again only when the interval is over', async () => {
    const files = await CredentialFiles.open(folder.directory, { clock, log, reloadIntervalMs })
    rotate('other')

    await clock.advance(reloadIntervalMs - 1)
    expect(await admits(files, 'first')).toBe(true)
    await clock.advance(1)
    expect([await admits(files, 'first'), await admits(files, 'other')]).toEqual([false, true])
  })

  it('keeps the account, and says so once, while a file is gone or empty', async () => {
    const files = await CredentialFiles.open(folder.directory, { clock, log, reloadIntervalMs })

    rmSync(passwordPath)
    await clock.advance(reloadIntervalMs)
    expect(await admits(files, 'first')).toBe(true)
    rotate('')
    await clock.advance(reloadIntervalMs)
    expect(await admits(files, 'first')).toBe(true)
    expect(log.messages('warn')).toHaveLength(1)

    rotate('other')
    await clock.advance(reloadIntervalMs)
    expect(await admits(files, 'other')).toBe(true)
  })

  it('reads the files once when the interval is 0', async () => {
    const files = await CredentialFiles.open(folder.directory, { clock, log, reloadIntervalMs: 0 })
    rotate('other')

    await clock.advance(3_600_000)

    expect(await admits(files, 'first')).toBe(true)
  })

  it('names the user file when that is missing', async () => {
    rmSync(folder.path)

    const opening = CredentialFiles.open(folder.directory, { clock, log, reloadIntervalMs })

    await expect(opening).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining(folder.path),
    })
  })
})
