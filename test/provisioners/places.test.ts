/** The table of places in docs/schema.md, against what is really made. */
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { readConfig } from '../../src/agent/agent-config.ts'
import { auditTrailOf } from '../../src/agent/audit/open-audit.ts'
import { createFiles } from '../../src/agent/os/files.ts'
import { layout } from '../../src/agent/os/layout.ts'
import {
  prepareAgentState,
  prepareDirectories,
  preparePanelCredentials,
  prepareSecrets,
} from '../../src/agent/prepare.ts'
import { openSetup } from '../../src/agent/rescue/setup.ts'

const root = mkdtempSync(join(tmpdir(), 'wcp360-places-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

/** Of the system, which has them already. */
const given = /^(etc|run|srv|var|var\/lib|var\/log)$/
const ids: ReadonlyMap<number, string> = new Map<number, string>([
  ...([
    [0, 'root'],
    [33, 'www-data'],
    [990, 'wcp360'],
    [991, 'wcp360-waker'],
    [992, 'wcp360-log'],
  ] as const),
  ...([
    [993, 'wcp360-web'],
    [20000, '<tenant>'],
  ] as const),
])

const silent = { info() {}, warn() {}, error() {} }

interface Place {
  readonly path: string
  readonly owner: string
  readonly mode: string
}

it('are those that a start, the setup and a tenant with a site make, and no others', async () => {
  const made = [...(await ofAStart()), ...ofATenant()]
  const rows = documented()

  const unlike = made.filter((one) => !rows.some((row) => row.covers(one))).map(shown)
  const unmade = rows.filter((row) => !made.some((one) => row.covers(one))).map(({ path }) => path)
  expect([unlike, unmade]).toEqual([[], []])
}, 60_000)

async function ofAStart(): Promise<Place[]> {
  const places = layout(root)
  const files = createFiles({ root, owner: 0 })
  const account = (id: number) => ({ uid: id, gid: id })
  const workers = { name: 'wcp360-web', gid: 993 }
  const accounts = { panel: account(990), waker: account(991), log: account(992), webGid: 33, workers }
  const preparation = { files, places, accounts, host: 'panel.example.com' }
  for (const name of ['etc', 'run', 'srv', 'var/lib', 'var/log']) mkdirSync(join(root, name), { recursive: true })
  await prepareAgentState(places)
  await readConfig(places)
  await prepareDirectories(preparation)
  await prepareSecrets(preparation)
  await preparePanelCredentials(preparation)
  const audit = await auditTrailOf(places, files, silent)
  audit.close()
  await openSetup(places)
  return walk('').map((path) => {
    const found = lstatSync(join(root, path))
    return { path, owner: ownerOf(found.uid, found.gid), mode: modeOf(found.mode) }
  })
}

/** As `modes.test.ts` finds them. */
function ofATenant(): Place[] {
  const lines = readFileSync(new URL('modes.txt', import.meta.url), 'utf8')
    .trimEnd()
    .split('\n')
  return lines.map((line) => {
    const [path = '', uid, gid, mode = ''] = line.split(' ')
    return { path, owner: ownerOf(Number(uid), Number(gid)), mode: modeOf(Number.parseInt(mode, 8)) }
  })
}

function walk(below: string): string[] {
  return readdirSync(join(root, below), { withFileTypes: true }).flatMap((entry) => {
    const path = join(below, entry.name)
    const inside = entry.isDirectory() ? walk(path) : []
    return given.test(path) ? inside : [path, ...inside]
  })
}

function documented() {
  const text = readFileSync('docs/schema.md', 'utf8')
  const [, table = ''] = text.split('## Places of the machine')
  const [compared = ''] = table.split('Not compared')
  return [...compared.matchAll(/^\| `\/([^`]+)` \| (\S+) \| ([^|]+) \|/gm)].map(
    ([, path = '', owner = '', modes = '']) => {
      const pattern = new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/<\w+>/g, '[^/]+')}$`)
      const allowed = modes.trim().split(' or ')
      const covers = (one: Place) =>
        pattern.test(one.path) && owner.replaceAll('`', '') === one.owner && allowed.includes(one.mode)
      return { path, covers }
    },
  )
}

function ownerOf(uid: number, gid: number): string {
  return `${ids.get(uid) ?? uid}:${ids.get(gid) ?? gid}`
}

function modeOf(mode: number): string {
  return (mode & 0o170000) === 0o120000 ? 'link' : (mode & 0o7777).toString(8).padStart(4, '0')
}

function shown({ path, owner, mode }: Place): string {
  return `${path} ${owner} ${mode}`
}
