/** The sources of the executable; changes elsewhere do not change it. */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { sourceFiles } from './build-tree.ts'

export const ingredients = ['src', 'systemd', 'templates', 'package.json', 'package-lock.json']

/** Whether an executable of that age was made of other sources than are here now; files that are gone do not show. */
export function isOlderThanSources(executable: string, root: string): boolean {
  const made = statSync(executable).mtimeMs
  const files = ingredients.flatMap((name) =>
    statSync(join(root, name)).isDirectory() ? sourceFiles(root, name) : [name],
  )
  return files.some((file) => !file.endsWith('.test.ts') && statSync(join(root, file)).mtimeMs > made)
}
