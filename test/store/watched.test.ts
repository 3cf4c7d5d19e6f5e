/** A watched transaction: every row that its statements would change, and none of it done. */
import { sql } from 'kysely'
import { expect, it } from 'vitest'
import type { Db } from '../../src/store/database.ts'
import { type Watched, watched } from '../../src/store/watched.ts'
import { onBothStores } from './both-stores.ts'

const now = '2026-03-01T12:00:00.000Z'
const id = (number: number) => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`
const setting = (number: number, key = `key ${number}`) => ({
  ...{ id: id(number), created_at: now, updated_at: now, deleted_at: null, key, value: '0' },
})

onBothStores('a watched transaction', (bench) => {
  async function open(count = 3): Promise<Db> {
    const { db } = await bench.panel()
    await db.deleteFrom('settings').execute()
    await db
      .insertInto('settings')
      .values(Array.from({ length: count }, (_, at) => setting(at)))
      .execute()
    return db
  }
  const seen = async <T>(db: Db, work: (tx: Db) => Promise<T>): Promise<Watched<T>> =>
    await watched(db, work, async (_, found) => found)
  const shown = ({ changes }: Watched<unknown>) =>
    changes.map(({ table, before, after }) => [table, before?.key ?? null, before?.value ?? null, after?.value ?? null])

  it('tells rows that come, change and go, each once from its first to its last state', async () => {
    const db = await open()
    const stored = await db.selectFrom('settings').selectAll().orderBy('id').execute()

    const found = await seen(db, async (tx) => {
      await tx
        .insertInto('settings')
        .values([setting(7), { ...setting(8), value: sql<string>`'3'` }])
        .execute()
      await tx.updateTable('settings').set({ value: '1' }).where('key', '=', 'key 0').execute()
      await tx.updateTable('settings').set({ value: '2' }).where('value', '=', '1').execute()
      await tx
        .deleteFrom('settings')
        .where('id', 'in', [id(1), id(7)])
        .execute()
      return (await tx.selectFrom('settings').select('id').execute()).length
    })

    expect(found.value).toBe(3)
    expect(shown(found)).toEqual([
      ['settings', null, null, '3'],
      ['settings', 'key 0', '0', '2'],
      ['settings', 'key 1', '0', null],
    ])
    expect(await db.selectFrom('settings').selectAll().orderBy('id').execute()).toEqual(stored)
  })

  it('tells the row that an upsert meets', async () => {
    const db = await open()

    const found = await seen(db, (tx) =>
      tx
        .insertInto('settings')
        .values({ ...setting(9, 'key 2'), value: '5' })
        .onConflict((row) => row.column('key').doUpdateSet({ value: '5' }))
        .execute(),
    )

    expect(shown(found)).toEqual([['settings', 'key 2', '0', '5']])
  })

  it('counts what is too much to be told row by row', async () => {
    const db = await open(1200)

    const found = await seen(db, (tx) => tx.updateTable('settings').set({ value: '4' }).execute())

    expect([found.changes.length, found.others]).toEqual([1000, new Map([['settings', 200]])])
  })

  it('ends at a statement that it cannot watch, and at the failure of the work', async () => {
    const db = await open()

    await expect(seen(db, (tx) => sql`delete from settings`.execute(tx))).rejects.toThrow('Cannot plan')
    await expect(seen(db, () => Promise.reject(new Error('refused')))).rejects.toThrow('refused')
    expect(await db.selectFrom('settings').selectAll().execute()).toHaveLength(3)
  })
})
