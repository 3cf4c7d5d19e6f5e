/** The panel's trail and the root side's log of it, each as it is, over the real socket. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type AuditTrail, openAuditTrail } from '../../src/agent/audit/audit-trail.ts'
import { password, type TestPanel, testPanel, until } from './support/test-panel.ts'

let directory = ''
let audit: AuditTrail
let test: TestPanel

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'wcp-mirror-'))
  audit = openTrail()
  test = await testPanel({ machine: { audit } })
})
afterEach(async () => {
  await test.stop()
  audit.close()
  rmSync(directory, { recursive: true })
})

const path = () => join(directory, 'audit.log')
const key = Buffer.alloc(32, 5)

function openTrail(): AuditTrail {
  const log = { info() {}, warn() {}, error() {} }
  return openAuditTrail({
    path: path(),
    headPath: join(directory, 'audit.head'),
    key,
    appendOnly: false,
    now: () => new Date(),
    log,
  })
}

const newPackage = (name: string) => test.root('POST', '/api/v1/packages', { name })
const mirrored = (count: number) => until(() => audit.end.sequence === count)
const verdict = async () => (await test.root('GET', '/api/v1/audit/verify')).json()
const actions = () =>
  readFileSync(path(), 'utf8')
    .split('\n')
    .flatMap((line) => (line.includes('"panel":') ? [JSON.parse(line).panel] : []))

it('copies every change and every refusal, in order', async () => {
  await newPackage('small')
  await newPackage('small')
  await newPackage('large')
  await mirrored(3)

  expect(actions()).toMatchObject([
    { sequence: 1, action: 'package.create', outcome: 'ok', actor: 'root' },
    { sequence: 2, action: 'package.create', outcome: 'refused' },
    { sequence: 3, action: 'package.create', outcome: 'ok' },
  ])
  expect(JSON.parse(actions()[0].metadata)).toMatchObject({ input: { name: 'small' } })
  expect(await verdict()).toMatchObject({
    ok: true,
    entries: 3,
    mirror: { ok: true, lines: 4, end: { sequence: 3 } },
    mirrorProblem: null,
  })
})

it('sends in order afterwards what was written while the root side was away', async () => {
  await newPackage('one')
  await mirrored(1)
  await test.agent.hangUp()
  for (const name of ['two', 'three', 'four']) await newPackage(name)
  expect(audit.end.sequence).toBe(1)

  await test.dial()
  await mirrored(4)

  expect(actions().map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4])
  expect(await verdict()).toMatchObject({ ok: true, mirror: { ok: true } })
})

it('sends what was written right before the panel ends', async () => {
  await newPackage('one')
  await mirrored(1)
  for (const name of ['two', 'three']) await newPackage(name)

  await test.stop()

  expect(audit.end.sequence).toBe(3)
  test = await testPanel({ machine: { audit } })
})

it('sends a long trail in as many messages as it takes', async () => {
  await test.agent.hangUp()
  const browser = test.browser()
  for (let n = 0; n < 30; n++) await newPackage(`package-${n}`)
  for (let n = 0; n < 5; n++) await browser.signIn(`${n}@example.com`, password)
  await until(async () => (await verdict()).entries === 35)
  await test.panel.db
    .updateTable('audit_logs')
    .set({ metadata: JSON.stringify({ long: '"'.repeat(8000) }) })
    .execute()

  await test.dial()
  await mirrored(35)

  const [first] = actions()
  expect(JSON.parse(first.metadata)).toMatchObject({ sha256: expect.any(String), bytes: expect.any(Number) })
})

it('shows a trail that was rewritten with the right key, which the store alone cannot', async () => {
  await newPackage('one')
  await newPackage('two')
  await mirrored(2)
  await test.agent.hangUp()
  // What a taken-over panel can do: it has the key of the store's chain.
  await test.panel.db.deleteFrom('audit_logs').execute()
  await test.panel.db.deleteFrom('audit_heads').execute()
  await newPackage('three')
  await newPackage('four')
  const alone = await verdict()
  const log = readFileSync(path(), 'utf8')

  await test.dial()
  await until(() => readFileSync(path(), 'utf8').includes('trail.forked'))
  await mirrored(2)
  const compared = await verdict()

  expect(alone).toMatchObject({ ok: true, mirror: null, mirrorProblem: expect.stringContaining('not connected') })
  expect(readFileSync(path(), 'utf8').startsWith(log)).toBe(true)
  expect(compared).toMatchObject({ ok: false, mirror: { ok: false, problems: [{ problem: 'forked' }] } })
})

it('shows a trail that was cut and sealed again, by the store before the root side is told of it, by the log after', async () => {
  await newPackage('one')
  await newPackage('two')
  await mirrored(2)
  const kept = join(directory, 'kept.log')
  copyFileSync(path(), kept)
  const { db } = test.panel
  await db.deleteFrom('audit_logs').execute()
  await db.deleteFrom('audit_heads').execute()
  await newPackage('three')

  const said = await verdict()

  expect(said.ok).toBe(false)
  const found = [...JSON.stringify(said).matchAll(/"problem":"(\w+)"/g)].map(([, problem]) => problem)
  expect(found).toBeOneOf([['head', 'truncated'], ['forked']])
})

it('goes on after a store was put back from a copy, and leaves out nothing that came then', async () => {
  await newPackage('one')
  await mirrored(1)
  const { db } = test.panel
  const head = await db.selectFrom('audit_heads').selectAll().executeTakeFirstOrThrow()
  await until(async () => (await db.selectFrom('audit_heads').select('mirrored').executeTakeFirst())?.mirrored === 1)
  await newPackage('lost')
  await mirrored(2)
  await test.agent.hangUp()
  await db.deleteFrom('audit_logs').where('sequence', '>', 1).execute()
  await db
    .updateTable('audit_heads')
    .set({ ...head, mirrored: 1 })
    .execute()
  await newPackage('two')
  await newPackage('three')

  await test.dial()
  await mirrored(3)

  expect(actions().map(({ sequence, metadata }) => [sequence, JSON.parse(metadata).input.name])).toEqual([
    [1, 'one'],
    [2, 'lost'],
    [2, 'two'],
    [3, 'three'],
  ])
  expect(await verdict()).toMatchObject({ problems: [], mirror: { problems: [{ problem: 'forked' }] } })
})

it('says so when the root side’s log was changed', async () => {
  await newPackage('one')
  await newPackage('two')
  await mirrored(2)
  writeFileSync(path(), readFileSync(path(), 'utf8').replace('"name\\":\\"one', '"name\\":\\"won'))

  expect(await verdict()).toMatchObject({
    ok: false,
    problems: [],
    mirror: { problems: [{ line: 2, problem: 'changed' }] },
  })
})

it('is narrowed by time and text, and exported as lines and as CSV', async () => {
  for (const name of ['one', 'two', '=three']) await newPackage(name)
  const get = async (query: string) => (await test.root('GET', `/api/v1/audit${query}`)).json()

  const found = await get('?search=TWO')
  const today = await get(`?since=${new Date().toISOString().slice(0, 10)}`)
  const past = await get('?until=2020-01-01')
  const wrong = await test.root('GET', '/api/v1/audit?since=yesterday')
  const lines = await get('/export?limit=2')
  const csv = await get('/export?format=csv&search=package.create')

  expect(found.items).toMatchObject([{ metadata: { input: { name: 'two' } } }])
  expect(today.items).toHaveLength(3)
  expect(past.items).toEqual([])
  expect(wrong.status).toBe(422)
  const text = String(lines.text)
  expect(
    text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).sequence),
  ).toEqual([3, 2])
  expect((await get(`/export?cursor=${lines.nextCursor}`)).entries).toBe(1)
  expect(String(csv.text).split('\r\n')[0]).toBe(
    'sequence,at,actor,actorId,tenantId,action,outcome,metadata,ip,requestId',
  )
  expect(String(csv.text)).toContain('"{""')
})

it('answers and is narrowed by other words for actor, action and address as well', async () => {
  test = await testPanel()
  const admin = await test.administrator('admin@example.com')
  await admin.call('POST', '/api/v1/packages', { name: 'one' })
  await test.root('POST', '/api/v1/packages', { name: 'two' })
  const get = async (query: string) => await test.root('GET', `/api/v1/audit?${query}`)
  const [made] = (await get('action=package.create&actor=admin%40example.com')).json().items ?? []

  expect(made).toMatchObject({ actionCode: 'package.create', actorUserId: made?.actorId, ipAddress: '127.0.0.1' })
  expect(made?.actorId).toEqual(expect.any(String))
  expect((await get(`actionCode=package.create&actorUserId=${made?.actorUserId}`)).json().items).toEqual([made])
  expect((await get('actionCode=package.create&ipAddress=127.0.0.1')).json().items).toEqual([made])
  expect((await get('actionCode=package.create&action=package.create')).json().items).toHaveLength(2)
  expect((await get('actionCode=package.create&action=user.create')).status).toBe(422)
  const csv = (await test.root('GET', `/api/v1/audit/export?format=csv&actorUserId=${made?.actorUserId}`)).json()
  expect(String(csv.text).split('\r\n')[0]).toBe(
    'sequence,at,actor,actorId,tenantId,action,outcome,metadata,ip,requestId',
  )
})
