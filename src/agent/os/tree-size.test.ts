import { linkSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { treeSize, type Walk } from './tree-size.ts'

const large = 400_000

describe.skipIf(process.getuid?.() !== 0)('the size of a tree', () => {
  let root: string
  let tree: string

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'wcp-size-'))
    tree = join(root, 'acme')
    mkdirSync(join(tree, 'home'), { recursive: true })
  })
  afterEach(() => rmSync(root, { recursive: true }))

  const size = (walk: Partial<Walk> = {}) =>
    treeSize({ root, owner: 0 }, tree, { rest: async () => {}, mayGoOn: () => true, ...walk })
  const write = (path: string) => writeFileSync(join(tree, path), Buffer.alloc(large, 1))

  it('is that of all files in it, whatever bytes their names have', async () => {
    mkdirSync(join(tree, 'home/deep/er'), { recursive: true })
    write('home/deep/er/ümläut')
    writeFileSync(Buffer.concat([Buffer.from(join(tree, 'home/')), Buffer.from([0xff, 0xfe])]), Buffer.alloc(large, 1))

    const { bytes, isWhole } = await size()

    expect(isWhole).toBe(true)
    expect(bytes).toBeGreaterThan(2 * large)
    expect(bytes).toBeLessThan(2.2 * large)
  })

  it('counts a file with several names once', async () => {
    write('home/one')
    const { bytes } = await size()
    linkSync(join(tree, 'home/one'), join(tree, 'home/two'))
    linkSync(join(tree, 'home/one'), join(tree, 'home/three'))

    expect(Math.abs((await size()).bytes - bytes)).toBeLessThan(10)
  })

  it('never follows a link out of the tree, also one that took the place of a directory during the walk', async () => {
    const outside = join(root, 'outside')
    mkdirSync(outside)
    writeFileSync(join(outside, 'secret'), Buffer.alloc(50 * large, 1))
    symlinkSync(outside, join(tree, 'home/link'))
    for (let n = 0; n < 40; n++) mkdirSync(join(tree, `home/dir${n}`))
    let calls = 0

    const { bytes } = await size({
      // the directories that were not entered yet
      rest: async () => {
        if (calls++ > 0) return
        for (let n = 0; n < 40; n++) {
          renameSync(join(tree, `home/dir${n}`), join(tree, `home/was${n}`))
          symlinkSync(outside, join(tree, `home/dir${n}`))
        }
      },
    })

    expect(calls).toBeGreaterThan(0)
    expect(bytes).toBeLessThan(large)
  })

  it('is "at least so much" when time is used up, and when it is nested without end', async () => {
    let left = 3
    write('home/one')
    expect(await size({ mayGoOn: () => left-- > 0 })).toMatchObject({ isWhole: false })

    mkdirSync(join(tree, 'home', ...Array.from({ length: 300 }, () => 'd')), { recursive: true })
    expect(await size()).toMatchObject({ isWhole: false })
  })

  it('is nothing where there is no tree', async () => {
    rmSync(tree, { recursive: true })

    expect(await size()).toEqual({ bytes: 0, isWhole: true })
  })
})
