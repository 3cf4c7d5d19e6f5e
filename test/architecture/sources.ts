/** The repository's own files, as git knows them and as they are in the working tree. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'

let files: readonly string[] | undefined

/** Tracked and new files that are text of ours, relative to the top. */
export function sourceFiles(): readonly string[] {
  files ??= execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { encoding: 'utf8' })
    .split('\n')
    .filter((path) => /\.(ts|eta|css|sh|md|service|socket|slice|yaml|yml)$/.test(path) && existsSync(path))
  return files
}

export function sourceText(path: string): string {
  return readFileSync(path, 'utf8')
}
