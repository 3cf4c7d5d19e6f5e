/** The assets of a checkout, for `src/program/assets.ts` when it does not run packed. */
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { notices } from './build-notices.ts'
import { compileStyles } from './build-styles.ts'
import { embeddedFiles, isStyleSource, repository, sourceFiles } from './build-tree.ts'

const generated: Record<string, () => Buffer> = {
  'styles.css': () => freshStyles(join(repository, 'dist/styles.css')),
  'NOTICES.txt': () => Buffer.from(notices(repository)),
  'commands.json': () => Buffer.from(freshCommands()),
  VERSION: () => Buffer.from(`${packageVersion(repository)}+source`),
}

export function sourceAsset(name: string): Buffer {
  const generate = Object.hasOwn(generated, name) ? generated[name] : undefined
  if (generate !== undefined) return generate()
  if (!sourceAssetNames().includes(name)) throw new Error(`Cannot read asset "${name}": the checkout does not hold it`)
  return readFileSync(join(repository, name))
}

export function sourceAssetNames(): string[] {
  return [...embeddedFiles(repository), ...Object.keys(generated)].sort()
}

export function packageVersion(root: string): string {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
  return version
}

/** Loaded when asked for: few of those who read assets want every kind. */
function freshCommands(): string {
  const { commandsText } = createRequire(import.meta.url)('./build-commands.ts') as typeof import('./build-commands.ts')
  return commandsText()
}

/** Compiles again only after a file changed that can name a class. */
function freshStyles(output: string): Buffer {
  const changed = Math.max(
    ...[...sourceFiles(repository, 'templates'), ...sourceFiles(repository, 'src')]
      .filter((path) => isStyleSource(path))
      .map((path) => statSync(join(repository, path)).mtimeMs),
  )
  if (!existsSync(output) || statSync(output).mtimeMs < changed) {
    mkdirSync(dirname(output), { recursive: true })
    compileStyles(repository, output)
  }
  return readFileSync(output)
}
