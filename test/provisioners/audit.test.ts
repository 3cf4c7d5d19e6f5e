/** What the root side writes down by itself, whatever the panel says. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { AuditTrail } from '../../src/agent/audit/audit-trail.ts'
import { Bench, newId } from './bench.ts'
import { scenarios, tenant } from './scenarios.ts'

let bench: Bench
beforeEach(async () => {
  bench = await Bench.make()
})
afterEach(async () => {
  await bench.engine.close()
  bench.remove()
})

const create = scenarios['tenant.create'].payload
const zeros = { sequence: 0, checksum: '0'.repeat(64) }

function lines(): Record<string, Record<string, unknown>>[] {
  const text = readFileSync(join(bench.places.agentState, 'audit.log'), 'utf8')
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
}
const events = () => lines().flatMap(({ agent }) => (agent === undefined ? [] : [agent]))

function entry(sequence: number, more: object = {}) {
  return {
    sequence,
    checksum: String(sequence % 10).repeat(64),
    id: newId(),
    at: '2026-11-21T13:00:00.000Z',
    actor: 'ann@example.com',
    actorId: null,
    tenantId: null,
    action: 'tenant.create',
    outcome: 'ok',
    metadata: '{}',
    ip: null,
    requestId: null,
    ...more,
  }
}

it('accepted, finished and refused jobs, one line each', async () => {
  const job = newId()
  await bench.run('tenant.create', create, { job, token: 5 })
  await bench.run('tenant.suspend', { tenant }, { token: 4 })
  await bench.run('tenant.suspend', { tenant: newId() })
  bench.engine.handle(bench.job('machine.format', {}))

  expect(events()).toMatchObject([
    { event: 'setup.closed' },
    { event: 'job.accepted', job, type: 'tenant.create', token: 5, tenant },
    { event: 'job.finished', job, code: null },
    { event: 'job.refused', type: 'tenant.suspend', token: 4, code: 'stale' },
    { event: 'job.accepted', type: 'tenant.suspend' },
    { event: 'job.finished', type: 'tenant.suspend', code: 'not_found' },
    { event: 'job.refused', type: 'machine.format', code: 'bad_input' },
  ])
  expect(await bench.audit?.verify()).toMatchObject({ ok: true })
})

it('nothing of a job is done that cannot be written down, and it can be sent again', async () => {
  const before = bench.manifest()
  const whole = bench.audit
  const broken: AuditTrail = {
    ...(whole ?? bench.openAudit()),
    must: () => {
      throw new Error('no space left')
    },
  }
  await bench.engine.close()
  await bench.start(bench.machine(), { audit: broken })
  const refused = await bench.run('tenant.create', create, { token: 1 })

  expect(refused.failure).toMatchObject({ code: 'unavailable', message: expect.stringContaining('audit log') })
  expect(bench.manifest()).toBe(before)

  await bench.engine.close()
  await bench.start()
  expect(await bench.run('tenant.create', create, { token: 1 })).toMatchObject({ failure: null })
})

it('entries of the panel, each once, and where its trail stands', () => {
  bench.engine.handle({ t: 'audit', after: zeros, entries: [entry(1), entry(2)] })
  bench.engine.handle({ t: 'audit', after: { sequence: 2, checksum: '2'.repeat(64) }, entries: [entry(3)] })

  expect(lines().flatMap(({ panel }) => (panel ? [panel.sequence] : []))).toEqual([1, 2, 3])
  expect(bench.messages.findLast(({ t }) => t === 'audited')).toMatchObject({ end: { sequence: 3 } })
})

it('a trail that begins anew, and how often that is taken', () => {
  for (let n = 0; n < 30; n++) {
    bench.engine.handle({
      t: 'audit',
      after: { sequence: 7, checksum: String(n % 10).repeat(64) },
      entries: [entry(8)],
    })
  }

  expect(events().filter(({ event }) => event === 'trail.forked')).toHaveLength(10)
})

it('entries out of order, with holes or of another shape end the connection', () => {
  const bad = [
    { after: zeros, entries: [entry(2)] },
    { after: zeros, entries: [entry(1), entry(3)] },
    { after: zeros, entries: [] },
    { after: zeros, entries: [entry(1, { metadata: {} })] },
    { after: zeros, entries: [entry(1, { metadata: 'x'.repeat(9000) })] },
    { after: zeros, entries: [entry(1, { action: 'a\n'.repeat(40) })] },
    { after: zeros, entries: [entry(1, { more: 1 })] },
    { after: { sequence: -1, checksum: zeros.checksum }, entries: [entry(0)] },
  ]
  for (const message of bad) expect(bench.engine.handle({ t: 'audit', ...message })).toBe('close')

  expect(lines().filter(({ panel }) => panel)).toEqual([])
})

it('a line stays a line, whatever is in an entry', () => {
  bench.engine.handle({ t: 'audit', after: zeros, entries: [entry(1, { actor: 'a\n{"seq":3}\u2028\u001b[2J' })] })

  expect(lines().at(-1)?.panel).toMatchObject({ actor: 'a\n{"seq":3}\u2028\u001b[2J' })
})

it('is bounded: a panel gone mad fills neither the disk nor hides the refusals', { timeout: 60_000 }, async () => {
  const metadata = 'x'.repeat(8192)
  const tenants = Array.from({ length: 40 }, newId)
  for (let n = 0; n < 800; n++) {
    const after = bench.audit?.end ?? zeros
    const entries = Array.from({ length: 25 }, (_, place) =>
      entry(after.sequence + 1 + place, { metadata, tenantId: tenants[(n + place) % 40] }),
    )
    bench.engine.handle({ t: 'audit', after, entries })
  }
  for (let n = 0; n < 1000; n++) bench.engine.handle(bench.job('machine.format', {}))
  const verdict = await bench.audit?.verify()

  // 36 MiB a day of entries of tenants as they are sent, sums of the rest, and 60 malformed jobs an hour
  const bytes = lines().reduce((sum, line) => sum + JSON.stringify(line).length, 0)
  expect(bytes).toBeLessThan(50 * 1024 * 1024)
  expect(verdict).toMatchObject({ ok: true, end: { sequence: 20_000 } })
  expect(bench.log.map(({ message }) => message)).toContain(
    'share of the audit log is used up: further entries of the day are counted',
  )
})

it('one customer who fills their share takes nothing from others, and their entries are told as sums', async () => {
  const metadata = 'x'.repeat(8000)
  const [loud, quiet] = [newId(), newId()]
  const send = (tenantId: string | null, count: number, more: object = {}) => {
    const after = bench.audit?.end ?? zeros
    const entries = Array.from({ length: count }, (_, place) =>
      entry(after.sequence + 1 + place, { tenantId, ...more }),
    )
    bench.engine.handle({ t: 'audit', after, entries })
  }
  for (let message = 0; message < 40; message++) send(loud, 25, { metadata })
  send(quiet, 1)
  send(null, 1, { actor: 'root' })
  send(loud, 3)

  const copied = lines().flatMap(({ panel }) => (panel ? [panel] : []))
  const ofLoud = copied.filter(({ tenantId }) => tenantId === loud)
  expect(ofLoud.length).toBeGreaterThan(300)
  expect(ofLoud.length).toBeLessThan(400)
  expect(copied.slice(-2)).toMatchObject([{ tenantId: quiet }, { actor: 'root' }])
  expect(events().at(-1)).toMatchObject({ event: 'trail.summed', owner: `tenant ${loud}`, entries: 3, sequence: 1005 })
  expect(await bench.audit?.verify()).toMatchObject({ ok: true, end: { sequence: 1005 } })
})
