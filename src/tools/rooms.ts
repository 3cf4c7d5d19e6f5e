/** The rooms of `src`, their floors, and who imports whom: what `ARCHITECTURE.md` draws and a test holds. */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** From the top down; rooms of one floor do not know each other. */
export const floors: readonly (readonly string[])[] = [
  ['main.ts', 'tools'],
  ['cli', 'panel', 'agent', 'waker', 'web-log', 'file-worker'],
  ['resources'],
  ['store'],
  ['program'],
  ['lib'],
  ['contract'],
]

/** @param path below the repository, such as `src/panel/main.ts` */
export function roomOf(path: string): string {
  return path.split('/')[1] ?? ''
}

/** Paths that each source imports, types included; tests are left out. @param files below the repository */
export function importsOf(files: readonly string[], root = '.'): ReadonlyMap<string, readonly string[]> {
  const sources = files.filter((path) => /^src\/.*\.ts$/.test(path) && !path.endsWith('.test.ts'))
  return new Map(sources.map((path) => [path, targetsOf(path, readFileSync(join(root, path), 'utf8'))]))
}

function targetsOf(path: string, text: string): readonly string[] {
  const found = text.matchAll(/^\s*(?:import|export)\b[^'"]*?\bfrom '(\.[^']+)'|\bimport\('(\.[^']+)'\)/gm)
  return [...found].map(([, from, lazily]) => join(dirname(path), from ?? lazily ?? ''))
}

/** The floors as text, each room with the rooms it imports from. */
export function drawing(imports: ReadonlyMap<string, readonly string[]>): string {
  const lines = floors.flatMap((rooms) => [
    ...rooms.filter((room) => room !== 'main.ts').map((room) => roomLine(room, imports)),
    '-'.repeat(width),
  ])
  return lines.slice(0, -1).join('\n')
}

const width = 80

function roomLine(room: string, imports: ReadonlyMap<string, readonly string[]>): string {
  const own = [...imports].filter(([path]) => roomOf(path) === room)
  const reached = new Set(own.flatMap(([, targets]) => targets.map(roomOf)))
  const order = floors.flat().filter((other) => other !== room && reached.has(other))
  return order.length === 0 ? room : `${room.padEnd(10)} -> ${order.join(', ')}`
}
