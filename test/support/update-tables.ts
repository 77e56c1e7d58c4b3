// Rewrites the tables that are made from code, in every document that has their markers: node test/support/update-tables.ts
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { markedTable, referenceTables } from './reference-tables.ts'
import { projectRoot } from './source-files.ts'

for (const path of ['README.md', 'plugins/README.md', 'core/README.md', 'docs/reference.md']) {
  const file = join(projectRoot, path)
  if (existsSync(file)) await update(file)
}

async function update(file: string): Promise<void> {
  let document = readFileSync(file, 'utf8')
  for (const [name, table] of Object.entries(referenceTables)) {
    const found = markedTable(document, name)
    if (found === undefined) continue
    document = `${document.slice(0, found.start)}\n\n${await table()}\n\n${document.slice(found.end)}`
    process.stdout.write(`${file}: ${name}\n`)
  }
  writeFileSync(file, document)
}
