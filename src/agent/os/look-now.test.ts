import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createFiles } from './files.ts'
import { LookNow } from './look-now.ts'

let root: string
let now: LookNow
const trust = () => ({ root, owner: process.getuid?.() ?? 0 })
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'wcp-look-'))
  now = new LookNow(trust())
})
afterEach(() => {
  now.forget()
  rmSync(root, { recursive: true })
})

describe('looking at many places', () => {
  it('sees what the one look sees', async () => {
    mkdirSync(join(root, 'a/b'), { recursive: true, mode: 0o755 })
    writeFileSync(join(root, 'a/b/file'), 'text', { mode: 0o640 })
    writeFileSync(join(root, 'a/large'), Buffer.alloc(1024 * 1024 + 1))
    symlinkSync('/etc/passwd', join(root, 'a/link'))
    execFileSync('/usr/bin/mkfifo', [join(root, 'a/pipe')])
    const places = ['a', 'a/b', 'a/b/file', 'a/large', 'a/link', 'a/pipe', 'a/none', 'none/none/none']
    const files = createFiles(trust())

    const one = await Promise.all(places.map((place) => files.look(join(root, place))))

    expect(places.map((place) => now.look(join(root, place)))).toEqual(one)
  })

  it('goes through no link on the way', () => {
    symlinkSync('/etc', join(root, 'a'))

    expect(() => now.look(join(root, 'a/passwd'))).toThrow(/Cannot enter "a"/)
  })

  it('refuses a place that others may write in, each time', () => {
    mkdirSync(join(root, 'a'))
    chmodSync(join(root, 'a'), 0o777)

    expect(() => now.look(join(root, 'a/b'))).toThrow(/others than its owner may write/)
    expect(() => now.look(join(root, 'a/b'))).toThrow(/others than its owner may write/)
  })

  it('lets a group write in /var/log on the way, and not where it looks', () => {
    mkdirSync(join(root, 'var/log/wcp360'), { recursive: true })
    chmodSync(join(root, 'var/log'), 0o775)

    expect(now.look(join(root, 'var/log/wcp360/file')).type).toBe('absent')
    expect(() => now.look(join(root, 'var/log/file'))).toThrow(/others than its owner may write/)
  })

  it('sees after forgetting what another directory in the same place holds', () => {
    mkdirSync(join(root, 'a'))
    now.look(join(root, 'a/file'))
    rmSync(join(root, 'a'), { recursive: true })
    mkdirSync(join(root, 'a'))
    writeFileSync(join(root, 'a/file'), '')

    now.forget()

    expect(now.look(join(root, 'a/file')).type).toBe('file')
  })
})
