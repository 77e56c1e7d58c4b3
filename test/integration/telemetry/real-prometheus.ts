import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { toolPath } from '../../support/debian-tools.ts'
import { temporaryFile } from '../../support/temporary-file.ts'

/** A Prometheus process that scrapes one target every second, with its data in a folder of its own. */
export interface RealPrometheus extends AsyncDisposable {
  readonly url: URL
}

/**
 * Starts Prometheus on a free port and resolves when it listens.
 * @param target `host:port` whose `/metrics` it scrapes
 */
export async function startPrometheus(target: string): Promise<RealPrometheus> {
  const config = temporaryFile(
    'prometheus.yml',
    `global: { scrape_interval: 1s }\nscrape_configs: [{ job_name: gateway, static_configs: [{ targets: ['${target}'] }] }]\n`,
  )
  const child = spawn(
    toolPath('prometheus'),
    [
      `--config.file=${config.path}`,
      `--storage.tsdb.path=${config.directory}/data`,
      '--web.listen-address=127.0.0.1:0',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  const exited = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL')
    await exited
    config[Symbol.dispose]()
  }
  for await (const line of createInterface(child.stderr)) {
    const address = /"Listening on" address=(\S+)/.exec(line)?.[1]
    if (address === undefined) continue
    child.stderr.resume()
    return { url: new URL(`http://${address}/`), [Symbol.asyncDispose]: stop }
  }
  await stop()
  throw new Error('Prometheus ended before it listened')
}
