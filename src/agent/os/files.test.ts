import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createFiles, type Files } from './files.ts'

vi.setConfig({ testTimeout: 30_000 })

const me = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
let root: string
let outside: string
let files: Files
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'wcp-files-'))
  outside = mkdtempSync(join(tmpdir(), 'wcp-outside-'))
  writeFileSync(join(outside, 'victim'), 'untouched')
  files = createFiles({ root, owner: me.uid })
})
afterEach(() => {
  for (const directory of [root, outside]) rmSync(directory, { recursive: true, force: true })
})

const own = (mode: number) => ({ mode, ...me })

describe('writing', () => {
  it('gives a file exactly its text and mode, whatever the umask is', async () => {
    const before = process.umask(0o077)
    await files.writeFile(join(root, 'a'), 'text', own(0o644))
    process.umask(before)

    expect(readFileSync(join(root, 'a'), 'utf8')).toBe('text')
    expect(lstatSync(join(root, 'a')).mode & 0o7777).toBe(0o644)
    expect(readdirSync(root)).toEqual(['a'])
  })

  it('replaces a link instead of writing through it', async () => {
    symlinkSync(join(outside, 'victim'), join(root, 'a'))

    await files.writeFile(join(root, 'a'), 'mine', own(0o600))

    expect(lstatSync(join(root, 'a')).isFile()).toBe(true)
    expect(readFileSync(join(outside, 'victim'), 'utf8')).toBe('untouched')
  })

  it('leaves the other name of a hard link as it was', async () => {
    linkSync(join(outside, 'victim'), join(root, 'a'))

    await files.writeFile(join(root, 'a'), 'mine', own(0o600))

    expect(readFileSync(join(outside, 'victim'), 'utf8')).toBe('untouched')
  })

  it('goes through no link on the way', async () => {
    symlinkSync(outside, join(root, 'dir'))

    for (const act of [
      () => files.writeFile(join(root, 'dir/new'), 'x', own(0o600)),
      () => files.makeDirectory(join(root, 'dir/new'), own(0o700)),
      () => files.makeLink(join(root, 'dir/new'), '/etc'),
      () => files.remove(join(root, 'dir/victim')),
      () => files.removeTree(join(root, 'dir/victim')),
      () => files.move(join(root, 'dir/victim'), join(root, 'got')),
      () => files.makeDirectory(join(root, 'dir'), own(0o700)),
    ])
      await expect(act()).rejects.toThrow(/Cannot enter "dir"/)

    expect(readdirSync(outside)).toEqual(['victim'])
  })

  it.each([0o770, 0o707, 0o777])('refuses a directory that others may write in (%o)', async (mode) => {
    mkdirSync(join(root, 'dir'))
    chmodSync(join(root, 'dir'), mode)

    await expect(files.writeFile(join(root, 'dir/a'), 'x', own(0o600))).rejects.toThrow(/others than its owner/)
  })

  it.runIf(me.uid === 0)('refuses to walk through a directory of somebody else', async () => {
    mkdirSync(join(root, 'dir/sub'), { recursive: true })
    execFileSync('/bin/chown', ['20000', join(root, 'dir')])

    await expect(files.writeFile(join(root, 'dir/sub/a'), 'x', own(0o600))).rejects.toThrow(/belongs to uid 20000/)
  })

  it.each(['../escape', 'a/../b', './a'])('refuses the path %j', async (path) => {
    await expect(files.writeFile(`${root}/${path}`, 'x', own(0o600))).rejects.toThrow(/not a plain path/)
  })

  it('takes away what an interrupted call left, and writes on', async () => {
    await files.writeFile(join(root, 'a'), 'one', own(0o600))
    const leftover = `.new-${'0'.repeat(24)}`
    writeFileSync(join(root, leftover), 'of another name')
    mkdirSync(join(root, 'b'))

    await files.writeFile(join(root, 'a'), 'two', own(0o600))

    expect(readFileSync(join(root, 'a'), 'utf8')).toBe('two')
    expect(readdirSync(root).sort()).toEqual([leftover, 'a', 'b'])
  })

  it('takes the longest host name', async () => {
    const name = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(61)}`
    await files.makeLink(join(root, name), 'one')
    await files.makeLink(join(root, name), 'two')

    expect(readlinkSync(join(root, name))).toBe('two')
  })
})

describe('reading', () => {
  it('does not wait for a pipe in place of a file, nor follow a link', async () => {
    execFileSync('/usr/bin/mkfifo', [join(root, 'pipe')])
    symlinkSync(join(outside, 'victim'), join(root, 'link'))

    expect(await files.look(join(root, 'pipe'))).toEqual({ type: 'other' })
    await expect(files.readText(join(root, 'pipe'))).rejects.toThrow(/not a small file/)
    await expect(files.readText(join(root, 'link'))).rejects.toThrow(/ELOOP/)
  })

  it('is bounded', async () => {
    writeFileSync(join(root, 'big'), Buffer.alloc(1024 * 1024 + 1))

    expect(await files.look(join(root, 'big'))).toEqual({ type: 'other' })
    await expect(files.readText(join(root, 'big'))).rejects.toThrow(/not a small file/)
  })

  it('takes a missing directory on the way for absence', async () => {
    expect(await files.look(join(root, 'no/where'))).toEqual({ type: 'absent' })
    expect(await files.readText(join(root, 'no/where'))).toBeUndefined()
    expect(await files.list(join(root, 'no'))).toEqual([])
  })
})

describe('moving', () => {
  it('never replaces what is there, not even an empty directory', async () => {
    mkdirSync(join(root, 'from'))
    mkdirSync(join(root, 'to'))

    await expect(files.move(join(root, 'from'), join(root, 'to'))).rejects.toThrow(/something is there already/)

    expect(readdirSync(root).sort()).toEqual(['from', 'to'])
  })
})

describe('removing a tree', () => {
  it('swaps two places, and neither when one is empty', async () => {
    for (const name of ['one', 'other']) mkdirSync(join(root, name))
    writeFileSync(join(root, 'one/a'), '')
    const inode = await files.inode(join(root, 'one'))

    await files.swap(join(root, 'one'), join(root, 'other'))

    expect(readdirSync(join(root, 'other'))).toEqual(['a'])
    expect(await files.inode(join(root, 'other'))).toBe(inode)
    await expect(files.swap(join(root, 'one'), join(root, 'none'))).rejects.toThrow(/ENOENT/)
    expect([readdirSync(join(root, 'one')), await files.inode(join(root, 'none'))]).toEqual([[], undefined])
  })

  it('removes links and not what they lead to', async () => {
    mkdirSync(join(root, 'tree/sub'), { recursive: true })
    symlinkSync(outside, join(root, 'tree/link'))
    symlinkSync(outside, join(root, 'tree/sub/link'))
    linkSync(join(outside, 'victim'), join(root, 'tree/hard'))

    await files.removeTree(join(root, 'tree'))

    expect(existsSync(join(root, 'tree'))).toBe(false)
    expect(readFileSync(join(outside, 'victim'), 'utf8')).toBe('untouched')
  })

  it('gets to the bottom of any nesting', async () => {
    const deep = join(root, 'tree')
    mkdirSync(join(deep, 'd/'.repeat(150)), { recursive: true })

    await files.removeTree(deep)

    expect(readdirSync(root)).toEqual([])
  })

  it('is done once when it is asked twice', async () => {
    await files.removeTree(join(root, 'tree'))
    await files.removeTree(join(root, 'tree'))
    expect(readdirSync(root)).toEqual([])
  })
})

it('puts back exactly what it saw', async () => {
  writeFileSync(join(root, 'file'), Buffer.from([0, 255, 10]), { mode: 0o640 })
  symlinkSync('somewhere', join(root, 'link'))
  mkdirSync(join(root, 'dir'), { mode: 0o750 })
  const names = ['file', 'link', 'dir', 'absent'].map((name) => join(root, name))
  const seen = await Promise.all(names.map((name) => files.look(name)))
  for (const name of names) await files.remove(name)
  await files.writeFile(join(root, 'absent'), 'now here', own(0o600))

  for (const [index, name] of names.entries()) await files.putBack(name, seen[index] ?? { type: 'absent' })

  expect(await Promise.all(names.map((name) => files.look(name)))).toEqual(seen)
})
