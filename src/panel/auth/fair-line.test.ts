import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FairLine, type Path } from './fair-line.ts'

function lineOf(...all: readonly (readonly [path: Path, item: string])[]): FairLine<string> {
  const line = new FairLine<string>()
  for (const [path, item] of all) line.push(path, item)
  return line
}

const rest = (line: FairLine<string>) => Array.from({ length: line.size }, () => line.shift())

describe('a fair line', () => {
  it('lets branches take turns at each level, and each its own in the order of their coming', () => {
    const line = lineOf(
      [['a', '1'], 'a11'],
      [['a', '1'], 'a12'],
      [['a', '2'], 'a21'],
      [['b', '1'], 'b11'],
      [['c'], 'c'],
    )

    expect(rest(line)).toEqual(['a11', 'b11', 'c', 'a21', 'a12'])
    expect(line.shift()).toBeUndefined()
  })

  it('drops the last of the fullest branch, and who came last where all are alike', () => {
    const line = lineOf([['a', '1'], 'a11'], [['a', '1'], 'a12'], [['a', '2'], 'a2'], [['b'], 'b'])

    expect(line.dropLast()).toBe('a12')
    expect(line.dropLast()).toBe('a2')
    expect(line.dropLast()).toBe('b')
    expect(line.dropLast()).toBe('a11')
    expect(line.dropLast()).toBeUndefined()
  })

  it('loses nobody and lets nobody go twice, whatever comes and leaves', () => {
    const path = fc.array(fc.constantFrom('x', 'y', 'z'), { minLength: 1, maxLength: 3 })
    const deed = fc.record({ path, what: fc.constantFrom('push', 'push', 'shift', 'drop', 'remove') })
    fc.assert(
      fc.property(fc.array(deed, { maxLength: 60 }), (deeds) => {
        const line = new FairLine<string>()
        const inside = new Map<string, Path>()
        for (const [index, { path: where, what }] of deeds.entries()) {
          const [some] = inside
          if (what === 'push') {
            line.push(where, `${index}`)
            inside.set(`${index}`, where)
          } else if (what === 'remove') {
            if (some) expect(line.remove(some[1], some[0])).toBe(true)
            expect(line.remove(where, 'nobody')).toBe(false)
            if (some) inside.delete(some[0])
          } else {
            const gone = what === 'shift' ? line.shift() : line.dropLast()
            expect(gone === undefined).toBe(inside.size === 0)
            expect(gone === undefined || inside.delete(gone)).toBe(true)
          }
          expect(line.size).toBe(inside.size)
        }
      }),
    )
  })
})
