import type { SourceFile } from './source-files.ts'

const declaration =
  /^export (?:default )?(?:declare )?(?:abstract )?(?:async )?(?:const|let|function\*?|class|interface|type)\s+(\w+)/

/** Returns the exported declarations without a doc comment right above them, as `file: name`. */
export function undocumentedExports(files: readonly SourceFile[]): readonly string[] {
  return files.flatMap((file) => {
    const lines = file.text.split('\n')
    return lines.flatMap((line, at) => {
      const name = declaration.exec(line)?.[1]
      return name === undefined || isDocumented(lines, at, name) ? [] : [`${file.path}: ${name}`]
    })
  })
}

/** A token shares its name with the interface it stands for, and an overload with the first of its signatures. */
function isDocumented(lines: readonly string[], at: number, name: string): boolean {
  const above = lines[at - 1]?.trim() ?? ''
  return above.endsWith('*/') || (above.startsWith('export function ') && above.includes(` ${name}(`))
}
