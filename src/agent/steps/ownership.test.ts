/** Each field that a step about a place looks at: whoever changes one of them finds the step wanting, and it puts it back. */
import { chmodSync, chownSync, lstatSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createFiles } from '../os/files.ts'
import type { Machine } from '../os/machine.ts'
import { directory } from './directory.ts'
import { handedOverTree } from './handed-over-tree.ts'
import type { Step } from './step.ts'
import { textFile } from './text-file.ts'

const wanted = { mode: 0o750, uid: 20_001, gid: 20_002 }
const builder = { uid: 0, gid: 0 }
let root: string
let machine: Machine

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'wcp-owner-'))
  machine = { files: createFiles({ root, owner: 0 }) } as Machine // all that these steps look at
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const place = () => join(root, 'place')
const staging = () => join(root, 'staging')
const steps: Readonly<Record<string, () => Step>> = {
  directory: () => directory({ path: place(), ...wanted }),
  textFile: () => textFile({ path: place(), text: 'x', ...wanted }),
  handedOverTree: () => handedOverTree({ path: place(), staging: staging(), builder, children: [], ...wanted }),
}
const changes: Readonly<Record<string, () => void>> = {
  'the mode': () => chmodSync(place(), 0o755),
  'one bit of the mode': () => chmodSync(place(), 0o751),
  'a set-id bit': () => chmodSync(place(), 0o2750),
  'the owner': () => chownSync(place(), 0, wanted.gid),
  'the group': () => chownSync(place(), wanted.uid, 0),
}

describe.skipIf(process.getuid?.() !== 0).each(Object.keys(steps))('%s', (kind) => {
  const fact = () => steps[kind]?.() as Step

  it.each(Object.keys(changes))('finds and mends %s', async (what) => {
    await fact().apply(machine, null)
    expect(await fact().check(machine)).toBeUndefined()

    changes[what]?.()

    expect(await fact().check(machine)).toMatchObject({ action: 'change' })
    await fact().apply(machine, null)
    const { mode, uid, gid } = lstatSync(place())
    expect({ mode: mode & 0o7777, uid, gid }).toEqual(wanted)
  })
})

describe.skipIf(process.getuid?.() !== 0)('what is nothing of ours', () => {
  it.each(['directory', 'textFile'])('is not replaced by %s: a socket in its place', async (kind) => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(place(), resolve))

    await expect(steps[kind]?.().capture(machine)).rejects.toMatchObject({ code: 'conflict' })
    server.close()
  })

  it.each([
    ['a file', () => writeFileSync(place(), '')],
    ['a link', () => symlinkSync('elsewhere', place())],
  ])('is not made a tree of: %s in its place', async (_what, put) => {
    put()

    expect(await steps.handedOverTree?.().check(machine)).toMatchObject({ action: 'change' })
    await expect(steps.handedOverTree?.().apply(machine, null)).rejects.toMatchObject({ code: 'conflict' })
  })

  it('is left as it is below a tree that was handed over', async () => {
    const tree = () =>
      handedOverTree({
        path: place(),
        staging: staging(),
        builder,
        children: [{ path: 'own', mode: 0o700, uid: 20_001, gid: 20_001 }],
        ...wanted,
      })
    await tree().apply(machine, null)
    rmSync(join(place(), 'own'), { recursive: true })
    mkdirSync(join(place(), 'own'), { mode: 0o777 })

    expect(await tree().check(machine)).toBeUndefined()
  })
})
