/** Which files of the checkout go into the executable, always in the same order. */
import { existsSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'

export const repository = resolve(import.meta.dirname, '../..')

/** Folders that are embedded as they are; an asset's name is its path in the repository. */
const EMBEDDED = ['systemd', 'templates']

export function embeddedFiles(root: string): string[] {
  return EMBEDDED.flatMap((folder) => sourceFiles(root, folder)).filter((path) => !path.endsWith('.css'))
}

/** Files below a folder, relative to the root and sorted; what editors leave behind is left out. */
export function sourceFiles(root: string, folder: string): string[] {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.') && !entry.name.endsWith('~'))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .sort()
}

export function isStyleSource(path: string): boolean {
  return /\.(eta|css)$/.test(path) || (/^src\/(panel|resources)\/.*\.ts$/.test(path) && !path.endsWith('.test.ts'))
}
