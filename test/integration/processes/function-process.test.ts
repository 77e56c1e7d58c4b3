import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { describeEnd, type FunctionProcess } from '../../../core/processes/function-process.ts'
import { ProcessLauncher } from '../../../core/processes/process-launcher.ts'
import { ProcessRecords } from '../../../core/processes/process-records.ts'
import { readBootId, readProcessStat } from '../../../core/processes/process-stat.ts'
import { SystemClock } from '../../../core/time/system-clock.ts'
import { eventually } from '../../support/eventually.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'

guardAgainstLeaks()

const clock = new SystemClock()
let directory: string
let launcher: ProcessLauncher
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'pilotlight-processes-'))
  launcher = new ProcessLauncher({ records: new ProcessRecords(records()), clock, maxProcesses: 2 })
})
afterEach(() => {
  launcher[Symbol.dispose]()
  rmSync(directory, { recursive: true, force: true })
})

function records(): string {
  return join(directory, 'records')
}

/** Runs a shell text in a working directory that is not there yet. */
function shell(text: string): FunctionProcess {
  const environment = { PATH: '/usr/bin:/bin' }
  return launcher.launch({
    command: ['/bin/sh', '-c', text],
    environment,
    directory: join(directory, 'home'),
    stdin: 'ignore',
  })
}

/** First line of what a process writes. */
async function firstLine({ pipes }: FunctionProcess): Promise<string> {
  let text = ''
  for await (const piece of pipes.stdout ?? []) {
    text += String(piece)
    if (text.includes('\n')) break
  }
  return text.trim()
}

function isRunning(pid: number): boolean {
  const stat = readProcessStat(pid)
  return stat !== undefined && stat.state !== 'Z'
}

describe('FunctionProcess', () => {
  it.each([
    ['exit 3', 'exit status 3'],
    ['exit 0', 'exit status 0'],
    ['kill -SEGV $$', 'signal: SIGSEGV'],
  ])('tells how "%s" ended', async (text, end) => {
    expect(describeEnd(await shell(text).ended)).toBe(end)
  })

  it('takes its whole group with it when it ends', async () => {
    const started = shell('sleep 67 & echo $!')
    const child = Number(await firstLine(started))

    await started.ended

    await eventually('the child to end', () => !isRunning(child))
  })

  it('is asked to end, and killed when it does not', async () => {
    const started = shell('trap "echo asked" TERM; echo ready; while :; do sleep 0.01; done')
    const said: string[] = []
    started.pipes.stdout?.on('data', (piece: Buffer) => said.push(piece.toString()))
    await eventually('the program to run', () => said.length > 0)

    const end = await started.stop(100)

    expect(describeEnd(end)).toBe('signal: SIGKILL')
    expect(said.join('')).toBe('ready\nasked\n')
  })

  it('ends by itself within its grace', async () => {
    const started = shell('trap "exit 5" TERM; echo ready; while :; do sleep 0.01; done')
    await firstLine(started)

    expect(await started.stop(10_000)).toEqual({ kind: 'exited', code: 5 })
    expect(await started.stop(10_000)).toEqual({ kind: 'exited', code: 5 })
  })
})

describe('ProcessLauncher', () => {
  it('says why a program cannot be started', async () => {
    const started = launcher.launch({ command: ['/no/such'], environment: {}, directory, stdin: 'pipe' })

    expect(describeEnd(await started.ended)).toMatch(/^cannot start: spawn .*ENOENT$/)
    expect(started).toMatchObject({ pid: undefined, isRunning: false })
  })

  it('starts no more than it may', async () => {
    const running = [shell('sleep 67'), shell('sleep 67')]

    const refused = await shell('true').ended
    expect(launcher.isFull).toBe(true)
    await Promise.all(running.map((one) => one.stop(0)))

    expect(describeEnd(refused)).toBe('cannot start: 2 function processes run already')
    expect(describeEnd(await shell('true').ended)).toBe('exit status 0')
  })

  it('kills what runs when it is disposed of', async () => {
    const started = shell('sleep 67')

    launcher[Symbol.dispose]()

    expect(describeEnd(await started.ended)).toBe('signal: SIGKILL')
  })
})

describe('ProcessRecords', () => {
  it('name what runs, and nothing that has ended', async () => {
    const started = shell('sleep 67')
    const during = readdirSync(records())
    await started.stop(0)

    expect(during).toEqual([String(started.pid)])
    expect(readdirSync(records())).toEqual([])
  })

  it('let a later start kill what an earlier one left, and nobody else', async () => {
    const orphan = shell('sleep 67')
    const bystander = new ProcessLauncher({ clock, maxProcesses: 1 })
    const other = bystander.launch({
      command: ['sleep', '67'],
      environment: { PATH: '/bin' },
      directory,
      stdin: 'ignore',
    })
    const ticks = readProcessStat(other.pid ?? 0)?.startTicks ?? 0
    // The same pid, started at another time; the same pid and time, of another boot; no record at all.
    writeFileSync(join(records(), String(other.pid)), `${ticks - 1} ${readBootId()}\n`)
    writeFileSync(join(records(), '1'), `${readProcessStat(1)?.startTicks} another-boot\n`)
    writeFileSync(join(records(), 'nonsense'), '')

    const killed = new ProcessRecords(records()).killOrphans()

    expect(killed).toEqual([orphan.pid])
    expect(describeEnd(await orphan.ended)).toBe('signal: SIGKILL')
    expect(other.isRunning).toBe(true)
    await other.stop(0)
    bystander[Symbol.dispose]()
  })
})
