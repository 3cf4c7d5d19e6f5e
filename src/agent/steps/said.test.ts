/** What each step says of what it finds, word by word: a plan, a drift report and a failed job show it to people. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type TenantLimits, TenantName } from '../../contract/values.ts'
import { createFiles } from '../os/files.ts'
import type { Machine } from '../os/machine.ts'
import { absentPath } from './absent-path.ts'
import { appliedLimits, limitsText } from './applied-limits.ts'
import { directory } from './directory.ts'
import { ownershipDiffers } from './entry-step.ts'
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
const [acme, other] = ['acme', 'other'].map((name) => TenantName.parse(name)) as [TenantName, TenantName]
const limits: TenantLimits = { cpuPct: 100, memMb: 256, pids: 32, ioMbps: null, diskMb: null }

let root: string
let awake: readonly TenantName[]
let running: readonly TenantName[]
let notInForce: readonly string[]
let machine: Machine

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'wcp-said-'))
  ;[awake, running, notInForce] = [[], [], []]
  const stop = async (tenant: TenantName) => {
    awake = awake.filter((one) => one !== tenant)
    running = running.filter((one) => one !== tenant)
  }
  const services = {
    awakeFpm: async () => awake.map((tenant) => ({ tenant, pool: tenant })),
    runsAnything: async (tenant: TenantName) => running.includes(tenant),
    stopFpm: stop,
    stopTenant: stop,
    limitsNotInForce: async () => notInForce,
    applyLimits: async () => {},
  }
  machine = { files: createFiles({ root, owner: me.uid }), services } as unknown as Machine // all that these steps ask
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const at = (name: string) => join(root, name)
const put = (text: string, mode = 0o640) => {
  writeFileSync(at('a'), text)
  chmodSync(at('a'), mode)
}
const place = () => ({ path: at('a'), mode: 0o640, ...me })
const tree = () => ({ path: at('a'), mode: 0o711, ...me })
const makeTree = () => handedOverTree({ ...tree(), staging: at('staging'), builder: me, children: [] })
const folder = (mode: number) => () => {
  mkdirSync(at('a'))
  chmodSync(at('a'), mode)
}
const toThere = () => symlinkSync('there', at('a'))
const limited = () => appliedLimits({ tenant: { name: acme, ...me }, limits, record: at('a'), owner: me })
const move = (ifMissing: 'fail' | 'nothing to move') => () => movedPath({ from: at('a'), to: at('z'), ifMissing })

/** `PATH` stands for the place. null: nothing is to be done. */
const table: readonly (readonly [what: string, before: () => void, step: () => Step, said: object | null])[] = [
  [
    'no file',
    () => {},
    () => textFile({ ...place(), text: 'x\n' }),
    { action: 'create', diff: '--- /dev/null\n+++ PATH\n@@ -0,0 +1,1 @@\n+x' },
  ],
  [
    'another text',
    () => put('y\n'),
    () => textFile({ ...place(), text: 'x\n' }),
    { action: 'change', diff: '--- PATH\n+++ PATH\n@@ -1,1 +1,1 @@\n-y\n+x' },
  ],
  [
    'another text with another mode',
    () => put('y\n', 0o600),
    () => textFile({ ...place(), text: 'x\n' }),
    { action: 'change', diff: '--- PATH\n+++ PATH\n@@ -1,1 +1,1 @@\n-y\n+x' },
  ],
  [
    'another mode',
    () => put('x\n', 0o604),
    () => textFile({ ...place(), text: 'x\n' }),
    { action: 'change', diff: 'mode 0604 instead of 0640' },
  ],
  [
    'a link for a file',
    toThere,
    () => textFile({ ...place(), text: 'x\n' }),
    { action: 'change', diff: 'a link instead of a file' },
  ],
  ['the file', () => put('x\n'), () => textFile({ ...place(), text: 'x\n' }), null],

  [
    'no secret',
    () => {},
    () => secretFile({ ...place(), text: 'x', aside: at('z') }),
    { action: 'create', diff: null },
  ],
  [
    'another secret',
    () => put('y', 0o600),
    () => secretFile({ ...place(), text: 'x', aside: at('z') }),
    { action: 'change', diff: 'other content' },
  ],
  [
    'a secret with another mode',
    () => put('x', 0o644),
    () => secretFile({ ...place(), text: 'x', aside: at('z') }),
    { action: 'change', diff: 'mode 0644 instead of 0640' },
  ],
  [
    'a directory for a secret',
    folder(0o700),
    () => secretFile({ ...place(), text: 'x', aside: at('z') }),
    { action: 'change', diff: 'a directory instead of a file' },
  ],
  ['the secret', () => put('x'), () => secretFile({ ...place(), text: 'x', aside: at('z') }), null],

  ['no directory', () => {}, () => directory(tree()), { action: 'create', diff: null }],
  [
    'a file for a directory',
    () => put('x'),
    () => directory(tree()),
    { action: 'change', diff: 'a file instead of a directory' },
  ],
  [
    'a directory with another mode',
    folder(0o1711),
    () => directory(tree()),
    { action: 'change', diff: 'mode 1711 instead of 0711' },
  ],
  ['the directory', folder(0o711), () => directory(tree()), null],

  ['no tree', () => {}, makeTree, { action: 'create', diff: null }],
  ['a link for a tree', toThere, makeTree, { action: 'change', diff: 'a link instead of a directory' }],
  ['a tree with another mode', folder(0o777), makeTree, { action: 'change', diff: 'mode 0777 instead of 0711' }],
  ['the tree', folder(0o711), makeTree, null],

  ['no link', () => {}, () => link({ path: at('a'), target: 'x' }), { action: 'create', diff: 'to x' }],
  [
    'another link',
    toThere,
    () => link({ path: at('a'), target: 'x' }),
    { action: 'change', diff: 'to there instead of x' },
  ],
  [
    'a file for a link',
    () => put('x'),
    () => link({ path: at('a'), target: 'x' }),
    { action: 'change', diff: 'a file instead of a link' },
  ],
  ['the link', toThere, () => link({ path: at('a'), target: 'there' }), null],

  ['something for nothing', () => put('x'), () => absentPath(at('a')), { action: 'remove', diff: null }],
  ['nothing', () => {}, () => absentPath(at('a')), null],
  ['a tree in the trash', folder(0o700), () => purgedTree(at('a')), { action: 'remove', diff: 'for good' }],
  ['an empty trash', () => {}, () => purgedTree(at('a')), null],

  ['what is to be moved', () => put('x'), move('fail'), { action: 'change', diff: null }],
  ['what is to be moved, or nothing', () => put('x'), move('nothing to move'), { action: 'change', diff: null }],
  ['nothing to be moved', () => {}, move('fail'), { action: 'change', diff: 'nothing is at either place' }],
  ['nothing that has to be moved', () => {}, move('nothing to move'), null],
  ['what was moved', () => writeFileSync(at('z'), 'x'), move('fail'), null],

  [
    'no limits',
    () => {},
    limited,
    { action: 'create', diff: expect.stringMatching(/^--- \/dev\/null\n\+\+\+ PATH\n(.*\n)*\+ {2}"memMb": 256,/) },
  ],
  [
    'other limits',
    () => put(limitsText({ ...limits, memMb: 64 }), 0o600),
    limited,
    { action: 'change', diff: '--- PATH\n+++ PATH\n@@ -3,1 +3,1 @@\n-  "memMb": 64,\n+  "memMb": 256,' },
  ],
  [
    'limits that anybody reads',
    () => put(limitsText(limits), 0o644),
    limited,
    { action: 'change', diff: 'mode 0644 instead of 0600' },
  ],
  [
    'limits that the kernel has not',
    () => {
      put(limitsText(limits), 0o600)
      notInForce = ['memory.max 1 instead of 2', 'pids.max max instead of 32']
    },
    limited,
    { action: 'change', diff: 'memory.max 1 instead of 2\npids.max max instead of 32' },
  ],
  ['the limits', () => put(limitsText(limits), 0o600), limited, null],

  ['no PHP of theirs', () => (awake = [other]), () => stoppedFpm(acme), null],
  ['PHP of theirs', () => (awake = [other, acme]), () => stoppedFpm(acme), { action: 'run', diff: null }],
  [
    'nothing of theirs that runs',
    () => {
      ;[awake, running] = [[other], [other]]
    },
    () => stoppedTenant(acme),
    null,
  ],
  ['PHP of theirs alone', () => (awake = [other, acme]), () => stoppedTenant(acme), { action: 'run', diff: null }],
  ['a command of theirs alone', () => (running = [acme]), () => stoppedTenant(acme), { action: 'run', diff: null }],
]

it.each(table)('%s', async (_, before, make, said) => {
  before()
  const found = await make().check(machine)
  const shown = found && { ...found, diff: found.diff?.replaceAll(at('a'), 'PATH') ?? null }
  expect(shown ?? null).toEqual(said)
})

it('names each of mode, user and group that is another', () => {
  const wanted = { mode: 0o640, uid: 1, gid: 2 }
  expect(ownershipDiffers({ mode: 0o4755, uid: 3, gid: 4 }, wanted)).toBe(
    'mode 4755 instead of 0640, uid 3 instead of 1, gid 4 instead of 2',
  )
  expect(ownershipDiffers({ ...wanted, uid: 3 }, wanted)).toBe('uid 3 instead of 1')
  expect(ownershipDiffers({ ...wanted, gid: 4 }, wanted)).toBe('gid 4 instead of 2')
  expect(ownershipDiffers(wanted, wanted)).toBeUndefined()
})

describe('stopped PHP', () => {
  it('may have been woken since, and is stopped by the step of another job', async () => {
    awake = [acme, other]
    const step = stoppedFpm(acme)
    await step.apply(machine, null)
    expect(awake).toEqual([other])
    awake = [acme]

    expect(await step.check(machine)).toBeUndefined()
    expect(await stoppedFpm(acme).check(machine)).toEqual({ action: 'run', diff: null })
  })
})

describe('what stands in the way', () => {
  it.each<[string, () => void, () => Step, string]>([
    ['a file', () => put('x'), () => directory(tree()), 'Cannot make directory "PATH": a file is in its place'],
    ['a link', toThere, () => directory(tree()), 'Cannot make directory "PATH": a link is in its place'],
    ['a link', toThere, makeTree, 'Cannot make directory "PATH": a link is in its place'],
    [
      'a directory',
      folder(0o700),
      () => link({ path: at('a'), target: 'x' }),
      'Cannot make link "PATH": a directory is in its place',
    ],
    ['nothing', () => {}, move('fail'), 'Cannot move "PATH": it does not exist'],
  ])('is told and left: %s', async (_, before, make, message) => {
    before()
    const refused = await make()
      .apply(machine, null)
      .catch((error) => error)
    expect(refused.message.replaceAll(at('a'), 'PATH')).toBe(message)
  })
})

it('limits that nobody can read are not put back, and the reason is kept', async () => {
  await expect(limited().undo(machine, 'no limits')).rejects.toMatchObject({
    message: `Cannot read the limits in "${at('a')}"`,
    cause: expect.any(SyntaxError),
  })
})
