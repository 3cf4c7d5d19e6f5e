/** The floors of `src`: a room imports from rooms below it, never upwards and never in a circle. Types count like code. */
import { describe, expect, it } from 'vitest'
import { floors, importsOf, roomOf } from '../../src/tools/rooms.ts'
import { sourceFiles } from './sources.ts'

/** The command runs what it talks to: `wcp agent` is the agent, and `wcp panel` the panel. */
const beside: Readonly<Record<string, readonly string[]>> = { cli: ['panel', 'agent', 'waker'] }

const imports = importsOf(sourceFiles())
const files = [...imports.keys()]

const floorOf = (path: string) => floors.findIndex((rooms) => rooms.includes(roomOf(path)))

describe('the floors of src', () => {
  it('have a place for each room', () => {
    expect(files.filter((path) => floorOf(path) === -1)).toEqual([])
  })

  it('are left downwards only', () => {
    const wrong = [...imports].flatMap(([path, targets]) =>
      targets.filter((target) => isUpward(path, target)).map((target) => `${path} -> ${target}`),
    )

    expect(wrong).toEqual([])
  })

  it('hold no circle of files', () => {
    expect(circles(imports)).toEqual([])
  })

  it('would show a circle and an upward arrow', () => {
    const graph = { a: ['b'], b: ['c'], c: ['a', 'd'], d: [], e: ['d', 'e2'], e2: ['e'] }

    expect(circles(new Map(Object.entries(graph)))).toEqual([
      ['a', 'b', 'c'],
      ['e', 'e2'],
    ])
    expect(isUpward('src/resources/a.ts', 'src/panel/b.ts')).toBe(true)
    expect(isUpward('src/panel/a.ts', 'src/agent/b.ts')).toBe(true)
    expect(isUpward('src/panel/a.ts', 'src/store/b.ts')).toBe(false)
  })
})

function isUpward(path: string, target: string): boolean {
  const [from, to] = [roomOf(path), roomOf(target)]
  if (from === to || beside[from]?.includes(to)) return false
  return floorOf(target) <= floorOf(path)
}

/** Strongly connected files of more than one member (Tarjan 1972). */
function circles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const found: string[][] = []
  const index = new Map<string, number>()
  const low = new Map<string, number>()
  const stack: string[] = []
  const visit = (node: string): number => {
    const own = index.size
    index.set(node, own)
    low.set(node, own)
    stack.push(node)
    for (const next of graph.get(node) ?? []) {
      const reached = index.has(next) ? (stack.includes(next) ? index.get(next) : undefined) : visit(next)
      if (reached !== undefined) low.set(node, Math.min(low.get(node) ?? own, reached))
    }
    if (low.get(node) === own) {
      const members = stack.splice(stack.indexOf(node)).sort()
      if (members.length > 1) found.push(members)
    }
    return low.get(node) ?? own
  }
  for (const node of graph.keys()) if (!index.has(node)) visit(node)
  return found
}
