/** Joins Node, the boot and the assets into one file. */
import { execFileSync } from 'node:child_process'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { nodeBinary } from './build-node.ts'

export interface Ingredients {
  readonly root: string
  /** Holds `main.cjs` and `node`; all paths below are relative to it, as the main one shows in stack traces. */
  readonly folder: string
  /** Asset name → file. */
  readonly assets: Readonly<Record<string, string>>
}

export function writeExecutable({ root, folder, assets }: Ingredients, name: string): void {
  const settings = JSON.parse(readFileSync(join(root, 'sea-config.json'), 'utf8')) as Record<string, unknown>
  const sorted = Object.fromEntries(Object.entries(assets).toSorted(([a], [b]) => (a < b ? -1 : 1)))
  writeFileSync(join(folder, 'sea-config.json'), JSON.stringify({ ...settings, output: name, assets: sorted }, null, 2))

  execFileSync(nodeBinary(root), ['--build-sea', 'sea-config.json'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  chmodSync(join(folder, name), 0o755)
}
