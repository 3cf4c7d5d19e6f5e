/** What holds for every kind of step: it finds the difference, mends it, mends nothing twice, and goes back, twice too. */
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { NotedDatabases } from '../../../test/provisioners/noted-databases.ts'
import { type TenantLimits, TenantName } from '../../contract/values.ts'
import { createFiles } from '../os/files.ts'
import { layout } from '../os/layout.ts'
import type { Machine } from '../os/machine.ts'
import type { Services } from '../os/services.ts'
import { absentPath } from './absent-path.ts'
import { appliedLimits, limitsText } from './applied-limits.ts'
import { directory } from './directory.ts'
import { handedOverTree } from './handed-over-tree.ts'
import { link } from './link.ts'
import { movedPath } from './moved-path.ts'
import { purgedTree } from './purged-tree.ts'
import { secretFile } from './secret-file.ts'
import type { Step } from './step.ts'
import { stoppedFpm } from './stopped-fpm.ts'
import { stoppedTenant } from './stopped-tenant.ts'
import { textFile } from './text-file.ts'

const me = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
const acme = TenantName.parse('acme')
const limits: TenantLimits = { cpuPct: 100, memMb: 256, pids: 32, ioMbps: null, diskMb: null }

let root: string
let machine: Machine
let databases: NotedDatabases
let awake: Set<string>
const never = () => Promise.reject(new Error('no command is run here'))
const noRuns = {
  runAs: never,
  runEnd: async () => undefined,
  stopRun: never,
  runOutput: never,
  leaveRuns: async () => {},
  startFileWorker: never,
}

let applied: unknown[]
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'wcp-steps-'))
  awake = new Set(['acme'])
  applied = []
  const stop = async (tenant: string) => void awake.delete(tenant)
  const services: Services = {
    kind: 'direct',
    missing: [],
    hasOwnViews: true,
    startFpm: async () => {},
    stopFpm: stop,
    stopTenant: stop,
    awakeFpm: async () =>
      [...awake].map((name) => ({
        tenant: TenantName.parse(name),
        pool: TenantName.parse(name),
        isServing: false,
        work: '',
        isOutdated: false,
      })),
    ...noRuns,
    runsAnything: async (tenant) => awake.has(tenant),
    refusedByPhp: async () => undefined,
    crowd: async () => ({ memoryBytes: 0, tasks: 0, availableBytes: 1 }),
    applyCeiling: async () => {},
    limitsNotInForce: async () => [],
    applyLimits: async (_, wanted) => void applied.push(wanted),
    reloadNginx: async () => {},
    states: async () => [],
  }
  const files = createFiles({ root, owner: me.uid })
  const accounts = { panelUid: me.uid, panelGid: me.gid, webGid: me.gid, workersGid: me.gid }
  databases = new NotedDatabases(root)
  machine = {
    places: layout(root),
    files,
    services,
    databases: { mariadb: databases, postgresql: databases },
    accounts,
    now: () => new Date(),
  }
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const at = (name: string) => join(root, name)
const file = (text: string) => () => textFile({ path: at('a'), text, mode: 0o640, ...me })
const site = () =>
  handedOverTree({
    path: at('site'),
    staging: at('staging'),
    mode: 0o711,
    ...me,
    builder: me,
    children: [
      { path: 'public', mode: 0o750, ...me },
      { path: 'public/index.html', text: 'hello', mode: 0o644, ...me },
    ],
  })
const secret = (text: string) => () => secretFile({ path: at('a'), text, mode: 0o640, ...me, aside: at('aside') })
const limited = () => appliedLimits({ tenant: { name: acme, ...me }, limits, record: at('limits'), owner: me })
const put = (name: string, text: string) => writeFileSync(at(name), text, { mode: 0o600 })

type Case = readonly [name: string, before: () => void, step: () => Step]
const undoable: readonly Case[] = [
  ['a new file', () => {}, file('new')],
  ['a changed file', () => put('a', 'old'), file('new')],
  ['a file with another mode', () => writeFileSync(at('a'), 'new', { mode: 0o644 }), file('new')],
  ['a file where a link was', () => symlinkSync('/etc/passwd', at('a')), file('new')],
  ['a new secret', () => {}, secret('new')],
  ['another secret', () => put('a', 'old'), secret('new')],
  ['a secret with another mode', () => writeFileSync(at('a'), 'new', { mode: 0o644 }), secret('new')],
  ['a new directory', () => {}, () => directory({ path: at('a'), mode: 0o711, ...me })],
  [
    'a directory with another mode',
    () => mkdirSync(at('a'), 0o700),
    () => directory({ path: at('a'), mode: 0o711, ...me }),
  ],
  ['a new link', () => {}, () => link({ path: at('a'), target: 'there' })],
  ['a link that led elsewhere', () => symlinkSync('here', at('a')), () => link({ path: at('a'), target: 'there' })],
  ['a link where a file was', () => put('a', 'old'), () => link({ path: at('a'), target: 'there' })],
  ['no file', () => put('a', 'old'), () => absentPath(at('a'))],
  ['no link', () => symlinkSync('here', at('a')), () => absentPath(at('a'))],
  ['no empty directory', () => mkdirSync(at('a'), 0o750), () => absentPath(at('a'))],
  [
    'a moved tree',
    () => mkdirSync(at('a/b'), { recursive: true }),
    () => movedPath({ from: at('a'), to: at('z'), ifMissing: 'fail' }),
  ],
  ['a handed-over tree', () => {}, site],
  ['a handed-over tree with another mode', () => mkdirSync(at('site'), 0o777), site],
  ['first limits', () => {}, limited],
  ['other limits', () => put('limits', limitsText({ ...limits, memMb: 64 })), limited],
]
const oneWay: readonly Case[] = [
  ['a purged tree', () => mkdirSync(at('a/b/c'), { recursive: true }), () => purgedTree(at('a'))],
  ['stopped PHP', () => {}, () => stoppedFpm(acme)],
  ['a stopped tenant', () => {}, () => stoppedTenant(acme)],
]

/** Names, modes, texts and targets below the root. */
function seen(place = root, prefix = ''): string[] {
  return readdirSync(place, { withFileTypes: true }).flatMap((entry) => {
    const path = join(place, entry.name)
    const name = `${prefix}${entry.name}`
    if (entry.isSymbolicLink()) return [`${name} -> ${readlinkSync(path)}`]
    const mode = (lstatSync(path).mode & 0o7777).toString(8)
    if (entry.isDirectory()) return [`${name}/ ${mode}`, ...seen(path, `${name}/`)]
    return [`${name} ${mode}: ${readFileSync(path, 'utf8')}`]
  })
}

describe.each([...undoable, ...oneWay])('%s', (_, before, make) => {
  it('is seen to be missing, is there after one application, and after two', async () => {
    before()
    const step = make()

    expect(await step.check(machine)).toBeDefined()
    const captured = await step.capture(machine)
    await step.apply(machine, captured)
    expect(await step.check(machine)).toBeUndefined()
    const after = seen()
    await step.apply(machine, captured)

    expect(await step.check(machine)).toBeUndefined()
    expect(seen()).toEqual(after)
  })
})

describe.each(undoable)('%s', (_, before, make) => {
  it('is undone, also twice, and also when it was never applied', async () => {
    before()
    const start = seen()
    const step = make()
    // by way of the journal
    const captured = JSON.parse(JSON.stringify(await step.capture(machine)))

    await step.undo(machine, captured)
    expect(seen()).toEqual(start)
    await step.apply(machine, captured)
    await step.undo(machine, captured)
    await step.undo(machine, captured)

    expect(seen()).toEqual(start)
    expect(await step.check(machine)).toBeDefined()
  })
})

describe('what is in the way', () => {
  it('is not replaced: a directory by a file or a link, a file by a directory', async () => {
    mkdirSync(at('a'))
    put('b', 'text')

    for (const step of [
      file('x')(),
      link({ path: at('a'), target: 'x' }),
      directory({ path: at('b'), mode: 0o700, ...me }),
    ])
      await expect(step.apply(machine, null)).rejects.toThrow()

    expect(seen()).toEqual(['a/ 755', 'b 600: text'])
  })

  it('stops a move instead of being overwritten', async () => {
    put('a', 'one')
    put('z', 'two')
    const step = movedPath({ from: at('a'), to: at('z'), ifMissing: 'fail' })

    await expect(step.check(machine)).rejects.toThrow(/both exist/)

    expect(seen()).toEqual(['a 600: one', 'z 600: two'])
  })
})

it('a handed-over tree that was built half is built anew, and never merged', async () => {
  mkdirSync(at('staging/public'), { recursive: true })
  put('staging/public/left', 'from before')
  chmodSync(at('staging'), 0o700)

  await site().apply(machine, { type: 'absent' })

  expect(seen()).toEqual(['site/ 711', 'site/public/ 750', 'site/public/index.html 644: hello'])
})

describe('a secret file', () => {
  it('leaves nothing of the old or the new one in what is journaled or told', async () => {
    put('a', 'old secret')
    const step = secret('new secret')()

    const captured = await step.capture(machine)
    const told = JSON.stringify([step.name, await step.check(machine), captured])
    await step.apply(machine, captured)

    for (const text of ['old secret', 'new secret']) {
      expect(told).not.toContain(text)
      expect(told).not.toContain(Buffer.from(text).toString('base64'))
    }
    expect(statSync(at('aside')).mode & 0o777).toBe(0o600)
  })

  it('is not put back from what was changed meanwhile', async () => {
    put('a', 'old')
    const step = secret('new')()
    const captured = await step.capture(machine)
    await step.apply(machine, captured)
    put('aside', 'forged')

    await expect(step.undo(machine, captured)).rejects.toThrow(/what was kept of it is gone/)

    expect(readFileSync(at('a'), 'utf8')).toBe('new')
  })
})

it('limits that are undone are applied as they were', async () => {
  put('limits', limitsText({ ...limits, memMb: 64 }))
  const step = limited()
  const captured = await step.capture(machine)

  await step.apply(machine, captured)
  await step.undo(machine, captured)

  expect(applied).toEqual([limits, { ...limits, memMb: 64 }])
})
