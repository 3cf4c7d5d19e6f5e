import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type AdoptableFile, adoptionsOf, textToAdopt } from './adopted-text.ts'
import { webServerDrift } from './drift/web-server-drift.ts'
import { createFiles } from './os/files.ts'
import { layout } from './os/layout.ts'
import type { Machine } from './os/machine.ts'
import { adoptPage } from './own-files.ts'
import { adoptableFile, adoption } from './steps/adoptable-file.ts'
import { suspendedPage } from './web-site.ts'

describe.skipIf(process.getuid?.() !== 0)('a text that somebody else wrote', () => {
  let root: string
  let machine: Machine
  let file: AdoptableFile

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'wcp-adopted-'))
    const places = layout(root)
    const now = () => new Date('2026-03-01T12:00:00.000Z')
    machine = { places, files: createFiles({ root, owner: 0 }), accounts: { workersGid: 0 }, now } as Machine // the rest is not asked for
    file = {
      path: join(root, 'php.conf'),
      text: 'a = 1\n',
      mode: 0o640,
      uid: 0,
      gid: 0,
      record: join(root, 'php.json'),
    }
    write('a = 2\n')
  })
  afterEach(() => rmSync(root, { recursive: true }))

  function write(text: string): void {
    writeFileSync(file.path, text)
    chmodSync(file.path, 0o640)
  }
  function linkTo(target: string): void {
    rmSync(file.path)
    symlinkSync(target, file.path)
  }
  const text = () => readFileSync(file.path, 'utf8')
  const differs = async (wanted = file) => (await adoptableFile(wanted).check(machine))?.diff ?? null
  const adopt = async () => {
    const step = adoption(file, { by: 'ann', at: 'now', text: await textToAdopt(machine, file) })
    await step.apply(machine, await step.capture(machine))
    expect(await step.check(machine)).toBe(undefined)
    return step
  }

  it('differs until it is adopted, stays then, and is told with who did it', async () => {
    expect(await differs()).toContain('-a = 2\n+a = 1')
    await adopt()

    expect(await differs()).toBe(null)
    expect(await adoptionsOf(machine, file)).toMatchObject([
      {
        action: 'adopt',
        step: expect.stringContaining('adopted by ann at now'),
        diff: expect.stringMatching(/-a = 1\n\+a = 2$/),
      },
    ])
    expect(statSync(file.record).mode & 0o777).toBe(0o600)
  })

  it('is put back as it was adopted when it is changed once more', async () => {
    await adopt()
    write('a = 3\n')

    expect(await differs()).toContain('-a = 3\n+a = 2')
    const step = adoptableFile(file)
    await step.apply(machine, await step.capture(machine))
    expect(text()).toBe('a = 2\n')
  })

  it('ends when the panel would write something else', async () => {
    await adopt()

    const next = { ...file, text: 'a = 1\nb = 1\n' }
    expect(await differs(next)).toContain('+b = 1')
    expect(await adoptionsOf(machine, next)).toEqual([])
  })

  it('leaves owner and mode what they have to be', async () => {
    await adopt()
    chmodSync(file.path, 0o644)

    expect(await differs()).toBe('mode 0644 instead of 0640')
  })

  it('is forgotten again when the adoption is undone', async () => {
    const step = adoption(file, { by: 'ann', at: 'now', text: await textToAdopt(machine, file) })
    const before = await step.capture(machine)
    await step.apply(machine, before)
    await step.undo(machine, before)

    expect(await differs()).toContain('-a = 2')
  })

  it('counts for nothing when its record is damaged', async () => {
    await adopt()
    writeFileSync(file.record, '{"over":')

    expect(await differs()).toContain('-a = 2')
  })

  it.each([
    ['is ours', () => write('a = 1\n'), 'as the panel writes it'],
    ['others may read', () => chmodSync(file.path, 0o644), 'mode 0644 instead of 0640'],
    ['lies behind a link', () => linkTo('/etc/shadow'), 'it is no file'],
    ['is not there', () => rmSync(file.path), 'it is not there'],
    ['is too long', () => write('x'.repeat(64 * 1024 + 1)), 'no text'],
    ['is no text', () => writeFileSync(file.path, Buffer.from([0xff, 0xfe])), 'no text'],
  ])('that %s is not adopted', async (_, make, why) => {
    make()

    await expect(textToAdopt(machine, file)).rejects.toThrow(why)
  })

  it('in the page of suspended sites is no drift, and the configuration of all sites is never adopted', async () => {
    const page = suspendedPage(machine.places)
    const site = { path: machine.places.nginxSite, text: 'server {}\n', mode: 0o644, uid: 0, gid: 0 }
    for (const path of [dirname(page.path), dirname(site.path), machine.places.agentState])
      mkdirSync(path, { recursive: true })
    for (const path of [page.path, site.path]) writeFileSync(path, 'by hand\n')

    await adoptPage(machine, 'ann')
    const [web] = await webServerDrift(machine, { directories: [], texts: [page, site] })
    const told = web?.changes.filter(({ step }) => step.startsWith('file ')) ?? []
    expect(told.map(({ step, action }) => [step.replace(/: .*/, ''), action])).toEqual([
      [`file ${site.path}`, 'change'],
      [`file ${page.path}`, 'adopt'],
    ])
  })
})
