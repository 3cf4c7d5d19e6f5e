/** The licences of everything that the executable contains, as `wcp --notices` prints them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { nodePackage } from './build-node.ts'

/** Development packages of which something ends up in the executable. */
const SHIPPED = new Set([`node_modules/${nodePackage}`, 'node_modules/tailwindcss'])

interface LockedPackage {
  readonly version: string
  readonly license?: string
  readonly dev?: true
  readonly optional?: true
}

export function notices(root: string): string {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, LockedPackage>
  }
  return Object.entries(packages)
    .filter(([path, { dev, optional }]) => SHIPPED.has(path) || (path !== '' && !dev && !optional))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, locked]) => notice(join(root, path), path.replace(/^.*node_modules\//, ''), locked))
    .join('\n')
}

function notice(folder: string, name: string, { version, license }: LockedPackage): string {
  const title = `${name} ${version} (${license ?? 'see below'})`
  const texts = licenceFiles(folder).map((file) => readFileSync(join(folder, file), 'utf8').trim())
  return [title, '='.repeat(title.length), ...texts, ''].join('\n\n')
}

function licenceFiles(folder: string): string[] {
  if (!existsSync(folder)) throw new Error(`Cannot collect notices: "${folder}" is not installed`)
  return readdirSync(folder)
    .filter((file) => /^(licen[cs]e|notice|copying)/i.test(file))
    .sort()
}
