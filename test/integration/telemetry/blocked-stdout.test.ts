import { once } from 'node:events'
import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { projectRoot } from '../../support/source-files.ts'
import { temporaryFile } from '../../support/temporary-file.ts'

interface Report {
  readonly dropped: number
  readonly heapBytes: number
}

function startFlood(stdout: 'pipe' | number): ChildProcess {
  return spawn(process.execPath, [join(projectRoot, 'test/support/log-until-stopped.ts')], {
    stdio: ['ignore', stdout, 'inherit', 'ipc'],
  })
}

async function nextReport(child: ChildProcess): Promise<Report> {
  const [report] = await once(child, 'message')
  return report
}

async function stop(child: ChildProcess): Promise<unknown> {
  const exited = once(child, 'exit')
  child.send('stop')
  return (await exited)[0]
}

describe('a process that logs to a pipe which nobody reads', () => {
  it('goes on, holds no more than its limit, counts what it drops, and still exits', async () => {
    const child = startFlood('pipe')

    let report = await nextReport(child)
    while (report.dropped < 10_000) report = await nextReport(child)

    // 10,000 lines of 1 kB would be 10 MB on top of what an idle process has.
    expect(report.heapBytes).toBeLessThan(25_000_000)
    expect(await stop(child)).toBe(0)
  })
})

describe('a process whose reader goes away', () => {
  it('goes on without it and exits 0', async () => {
    const child = startFlood('pipe')
    await nextReport(child)

    child.stdout?.destroy()
    let report = await nextReport(child)
    while (report.dropped < 1_000) report = await nextReport(child)

    expect(await stop(child)).toBe(0)
  })
})

describe('a process that logs to a file', () => {
  it('has written everything it did not drop when it exits', async () => {
    using file = temporaryFile('out.log', '')
    const descriptor = openSync(file.path, 'a')
    const child = startFlood(descriptor)
    closeSync(descriptor)

    await nextReport(child)
    await nextReport(child)

    expect(await stop(child)).toBe(0)
    const lines = readFileSync(file.path, 'utf8').split('\n')
    expect(lines.pop()).toBe('')
    expect(lines.filter((line) => !/ (?:info {2}x{1000}|warn {2}log lines dropped: .*)$/.test(line))).toEqual([])
    expect(lines.length).toBeGreaterThan(50)
  })
})
