/** The licences of everything that the executable contains, as `wcp --notices` prints them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Packages that a build from source needs and of which nothing ends up in the executable, nor of what only they need. */
const BUILD_TOOLS = new Set(['@tailwindcss/cli', 'esbuild'])

interface LockedPackage {
  readonly version: string
  readonly license?: string
  readonly optional?: true
  readonly dependencies?: Readonly<Record<string, string>>
}

type Locked = Readonly<Record<string, LockedPackage>>

export function notices(root: string): string {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as { packages: Locked }
  return [...shippedPaths(packages)]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, locked]) => notice(join(root, path), path.replace(/^.*node_modules\//, ''), locked))
    .join('\n')
}

/** The dependencies of the project's own dependencies; optional packages are parts of others for one platform. */
function shippedPaths(packages: Locked): ReadonlyMap<string, LockedPackage> {
  const found = new Map<string, LockedPackage>()
  const open = ['']
  for (const from of open) {
    for (const name of Object.keys(packages[from]?.dependencies ?? {})) {
      if (from === '' && BUILD_TOOLS.has(name)) continue
      const path = resolved(packages, from, name)
      const locked = packages[path]
      if (locked === undefined || locked.optional || found.has(path)) continue
      found.set(path, locked)
      open.push(path)
    }
  }
  return found
}

/** As Node looks for packages: beside the asking one first, then ever further out. */
function resolved(packages: Locked, from: string, name: string): string {
  for (let place = from; place !== ''; place = place.replace(/(^|\/)node_modules\/(@[^/]+\/)?[^/]+$/, '')) {
    if (packages[`${place}/node_modules/${name}`] !== undefined) return `${place}/node_modules/${name}`
  }
  return `node_modules/${name}`
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
