import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { webServerDrift } from './drift/web-server-drift.ts'
import { createFiles } from './os/files.ts'
import { layout } from './os/layout.ts'
import type { Machine } from './os/machine.ts'
import { keepForeignText, keptTexts, noteOwnText } from './replaced-text.ts'

describe.skipIf(process.getuid?.() !== 0)('a file that is wholly ours', () => {
  let root: string
  let machine: Machine
  let path: string
  let clock: number

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'wcp-replaced-'))
    clock = Date.parse('2026-03-01T12:00:00.000Z')
    const places = layout(root)
    const now = () => new Date(clock++)
    machine = { places, files: createFiles({ root, owner: 0 }), accounts: { workersGid: 0 }, now } as Machine // the rest is not asked for
    path = places.nginxSite
    for (const one of [dirname(path), places.agentState]) mkdirSync(one, { recursive: true })
  })
  afterEach(() => rmSync(root, { recursive: true }))

  const kept = () => keptTexts(machine, path)

  it('is overwritten without a copy while nobody else has changed it', async () => {
    expect(await keepForeignText(machine, path)).toBe(undefined)
    writeFileSync(path, 'version 1\n')
    await noteOwnText(machine, path, 'version 1\n')
    expect(await keepForeignText(machine, path)).toBe(undefined)
    expect(await kept()).toEqual([])
  })

  it('leaves what an operator had written beside, for root alone, and tells of it until that is taken away', async () => {
    await noteOwnText(machine, path, 'version 1\n')
    writeFileSync(path, 'version 1\nclient_max_body_size 1g;\n')

    const copy = (await keepForeignText(machine, path)) ?? ''
    expect(readFileSync(copy, 'utf8')).toBe('version 1\nclient_max_body_size 1g;\n')
    expect([statSync(copy).mode & 0o777, statSync(dirname(copy)).mode & 0o777]).toEqual([0o600, 0o700])
    writeFileSync(path, 'version 1\n')
    const text = { path, text: 'version 1\n', mode: 0o644, uid: 0, gid: 0 }
    const told = async () => JSON.stringify(await webServerDrift(machine, { directories: [], texts: [text] }))
    expect(await told()).toContain('+client_max_body_size 1g;')
    expect(await told()).toContain(copy)
    rmSync(copy)
    expect(await told()).not.toContain('client_max_body_size')
  })

  it('keeps the same text once, of others the newest ten, and a link as what it was', async () => {
    for (let version = 0; version < 12; version++) {
      writeFileSync(path, `by hand ${version}\n`)
      expect(await keepForeignText(machine, path)).toBe(await keepForeignText(machine, path))
    }
    const texts = (await kept()).map((copy) => readFileSync(copy, 'utf8'))
    expect(texts).toEqual(Array.from({ length: 10 }, (_, index) => `by hand ${index + 2}\n`))
    rmSync(path)
    symlinkSync('/etc/shadow', path)
    const copy = (await keepForeignText(machine, path)) ?? ''
    expect(readFileSync(copy, 'utf8')).toBe('a link to /etc/shadow\n')
  })
})
