import { randomBytes } from 'node:crypto'
import { expect, it } from 'vitest'
import { verifyChain } from '../../src/resources/audit/verify-chain.ts'
import type { AuditLogTable } from '../../src/store/tables/work.ts'
import { slices } from '../support/slices.ts'
import { onBothStores } from './both-stores.ts'
import { newId, type Panel, refusal } from './harness.ts'

async function trail(
  panel: Panel,
  entries: number,
  metadata: Record<string, unknown> = { b: 1, a: { d: [2], c: 'ü' } },
) {
  for (let n = 1; n <= entries; n++)
    await panel.transaction((context) => context.audit.append(entry(context.now, n, metadata)))
}

function entry(at: string, n: number, metadata: Record<string, unknown> = {}) {
  return {
    id: newId(),
    at,
    actor: 'ann@example.org',
    actorId: newId(),
    tenantId: null,
    action: `tenant.${n % 2 === 0 ? 'create' : 'delete'}`,
    outcome: 'ok' as const,
    metadata,
    ip: '192.0.2.1',
    requestId: `r${n}`,
  }
}

onBothStores('the audit trail', (bench) => {
  const verify = (panel: Panel) => panel.run(slices.audit.verify, {})

  it('is whole when nobody touched it, also when empty', async () => {
    const panel = await bench.panel()
    const empty = await verify(panel)
    await trail(panel, 3)
    // Values that PostgreSQL's jsonb writes in its own way, or does not take at all.
    await trail(panel, 1, {
      z: 1.5e21,
      y: -0.25,
      x: '\0 \uD800 \u2028',
      'key with "quotes"': null,
      list: [true, [], {}],
    })

    expect(empty).toMatchObject({ ok: true, entries: 0 })
    expect(await verify(panel)).toMatchObject({ ok: true, entries: 4, head: { sequence: 4 }, problems: [] })
  })

  /** Another value for each column that a reader sees; a new column without one does not compile. */
  const forged: Readonly<
    Record<Exclude<keyof AuditLogTable, 'sequence' | 'updated_at' | 'deleted_at'>, string | null>
  > = {
    id: newId(),
    created_at: '2020-01-01T00:00:00.000Z',
    actor: 'bob@example.org',
    actor_id: null,
    tenant_id: newId(),
    action: 'tenant.suspend',
    outcome: 'denied',
    metadata: '{"b":2}',
    ip: null,
    request_id: 'r9',
    checksum: 'f'.repeat(64),
  }
  it.each(Object.entries(forged))('shows a changed %s', async (column, value) => {
    const panel = await bench.panel()
    await trail(panel, 3)

    await panel.db
      .updateTable('audit_logs')
      .set({ [column]: value })
      .where('sequence', '=', 2)
      .execute()

    expect((await verify(panel)).problems[0]).toMatchObject({ sequence: 2, problem: 'changed' })
  })

  const tamper: [string, object, (panel: Panel) => Promise<unknown>][] = [
    [
      'a removed entry',
      { sequence: 2, problem: 'missing' },
      ({ db }) => db.deleteFrom('audit_logs').where('sequence', '=', 2).execute(),
    ],
    [
      'a removed beginning',
      { sequence: 1, problem: 'missing' },
      ({ db }) => db.deleteFrom('audit_logs').where('sequence', '<', 3).execute(),
    ],
    [
      'a cut end',
      { sequence: 5, problem: 'truncated' },
      ({ db }) => db.deleteFrom('audit_logs').where('sequence', '>', 3).execute(),
    ],
    ['a trail that is gone', { sequence: 5, problem: 'truncated' }, ({ db }) => db.deleteFrom('audit_logs').execute()],
    [
      'a cut end with its seal moved',
      { problem: 'head' },
      async ({ db }) => {
        await db.deleteFrom('audit_logs').where('sequence', '=', 5).execute()
        await db.updateTable('audit_heads').set({ sequence: 4 }).execute()
      },
    ],
    [
      'a cut end with its seal removed',
      { problem: 'head' },
      async ({ db }) => {
        await db.deleteFrom('audit_logs').where('sequence', '=', 5).execute()
        await db.deleteFrom('audit_heads').execute()
      },
    ],
    [
      'two entries that changed places',
      { sequence: 2, problem: 'changed' },
      async ({ db }) => {
        await db.updateTable('audit_logs').set({ sequence: 99 }).where('sequence', '=', 2).execute()
        await db.updateTable('audit_logs').set({ sequence: 2 }).where('sequence', '=', 3).execute()
        await db.updateTable('audit_logs').set({ sequence: 3 }).where('sequence', '=', 99).execute()
      },
    ],
  ]
  it.each(tamper)('shows %s', async (_title, problem, change) => {
    const panel = await bench.panel()
    await trail(panel, 5)

    await change(panel)

    const verdict = await verify(panel)
    expect(verdict.ok).toBe(false)
    expect(verdict.problems[0]).toMatchObject(problem)
  })

  it('shows a trail that was put back as a whole, by a head that was kept elsewhere', async () => {
    const panel = await bench.panel()
    await trail(panel, 2)
    const [head] = await panel.db.selectFrom('audit_heads').selectAll().execute()
    await trail(panel, 2)
    const kept = (await verify(panel)).head
    await panel.db.deleteFrom('audit_logs').where('sequence', '>', 2).execute()
    await panel.db
      .updateTable('audit_heads')
      .set(head ?? {})
      .execute()

    const alone = await verify(panel)
    const anchored = await panel.run(slices.audit.verify, kept)
    const foreign = await panel.run(slices.audit.verify, { sequence: 1, checksum: kept.checksum })

    expect(alone.ok).toBe(true)
    expect(anchored.problems).toMatchObject([{ sequence: 4, problem: 'truncated' }])
    expect(foreign.problems).toMatchObject([{ sequence: 1, problem: 'head' }])
  })

  it('cannot be made without the key', async () => {
    const panel = await bench.panel()
    await trail(panel, 2)

    expect((await verifyChain(panel.db, randomBytes(32))).ok).toBe(false)
  })

  it('has no gap after failed and simultaneous requests', async () => {
    const panel = await bench.panel()
    const requests = Array.from({ length: 20 }, (_, n) =>
      panel.transaction(async (context) => {
        await context.audit.append(entry(context.now, n))
        if (n % 3 === 0) throw new Error('rolled back')
      }),
    )
    await Promise.allSettled(requests)

    expect(await verify(panel)).toMatchObject({ ok: true, entries: 13 })
  })

  it('is checked piece by piece, however long', async () => {
    const panel = await bench.panel()
    await panel.transaction(async (context) => {
      for (let n = 0; n < 2100; n++) await context.audit.append(entry(context.now, n))
    })

    expect(await verify(panel)).toMatchObject({ ok: true, entries: 2100 })
    let rests = 0
    await panel.stores(panel.db).audit.verify([], async () => rests++)
    expect(rests).toBe(22)
  })

  it('is listed from the newest, by what people look for', async () => {
    const panel = await bench.panel()
    await trail(panel, 5)

    const first = await panel.run(slices.audit.list, { limit: 2 })
    const rest = await panel.run(slices.audit.list, { limit: 200, cursor: first.nextCursor ?? '' })
    const creations = await panel.run(slices.audit.list, { action: 'tenant.create' })
    const nobody = await panel.run(slices.audit.list, { actor: "' or 1=1 --" })

    expect([...first.items, ...rest.items].map((one) => one.sequence)).toEqual([5, 4, 3, 2, 1])
    expect(first.items[0]).toMatchObject({ action: 'tenant.delete', metadata: { b: 1, a: { d: [2], c: 'ü' } } })
    expect(creations.items.map((one) => one.sequence)).toEqual([4, 2])
    expect(nobody.items).toEqual([])
  })

  it('wants both halves of a head', async () => {
    const panel = await bench.panel()

    const error = await refusal(panel.run(slices.audit.verify, { sequence: 3 }))

    expect(error).toMatchObject({ code: 'bad_input', fields: [{ field: 'checksum', problem: 'is missing' }] })
  })
})
