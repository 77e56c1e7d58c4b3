// Installs the programs that tests start (redis-server, prometheus, ...), before the tests. A program is needed when a
// test file calls toolPath('<program>'). Plain JavaScript, so that any Node.js can run it.
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, readFileSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const testFolder = join(import.meta.dirname, '..')
const packageOf = JSON.parse(readFileSync(join(import.meta.dirname, 'debian-tools.json'), 'utf8'))

const missing = toolsInUse().filter((tool) => !isInstalled(tool))
if (missing.length > 0) install(missing)

function toolsInUse() {
  const files = readdirSync(testFolder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
  const calls = files.flatMap(
    (name) => readFileSync(join(testFolder, name), 'utf8').match(/\btoolPath\('[\w-]+'\)/g) ?? [],
  )
  return [...new Set(calls.map((call) => call.split("'")[1]))]
}

function isInstalled(tool) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  return folders.some((folder) => {
    try {
      accessSync(join(folder, tool), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

function install(tools) {
  const packages = [...new Set(tools.map((tool) => packageOf[tool] ?? tool))]
  const names = packages.join(' ')
  if (!existsSync('/usr/bin/apt-get') || process.getuid() !== 0) {
    fail(`tests need ${tools.join(', ')}: install the Debian packages "${names}" (apt-get install ${names}, as root)`)
  }
  process.stdout.write(`installing what the tests need: ${names}\n`)
  if (!aptInstall(packages)) {
    apt(['update'])
    if (!aptInstall(packages)) fail(`tests need ${tools.join(', ')}, and "apt-get install ${names}" failed`)
  }
  const still = tools.filter((tool) => !isInstalled(tool))
  if (still.length > 0) fail(`${still.join(', ')} still missing after "apt-get install ${names}"`)
}

function aptInstall(packages) {
  return apt(['install', '--yes', '--no-install-recommends', ...packages])
}

function apt(args) {
  const options = ['-o', 'DPkg::Lock::Timeout=120', '-qq']
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const result = spawnSync('apt-get', [...options, ...args], { env, stdio: 'inherit', timeout: 300_000 })
  return result.status === 0
}

function fail(message) {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}
