/** Parts of names: found by an index where PostgreSQL has one for them, and everywhere else by reading the names. */
import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { expect, it } from 'vitest'
import { migrations } from '../../src/resources/index.ts'
import type { Db } from '../../src/store/database.ts'
import { migrate } from '../../src/store/migrate.ts'
import { openStore } from '../../src/store/open-store.ts'
import { onBothStores } from './both-stores.ts'

const now = '2026-03-01T12:00:00.000Z'

async function indexesOfParts(db: Db): Promise<readonly string[]> {
  const named = sql<{ name: string }>`select indexname as name from pg_indexes where indexname like '%_part' order by 1`
  return (await named.execute(db)).rows.map(({ name }) => name)
}

/** Who may make tables in the database, and nothing else. */
async function asStranger(url: string): Promise<string> {
  const owner = openStore(url)
  const name = `stranger_${randomUUID().slice(0, 8)}`
  await sql.raw(`create role ${name} login; grant create on schema public to ${name}`).execute(owner)
  await owner.destroy()
  return url.replace('//postgres@', `//${name}@`)
}

onBothStores('a part of a name', (bench, store) => {
  if (store === 'sqlite') {
    it('needs no index of its own', async () => {
      const { db } = await bench.panel()
      const indexes = sql`select name from sqlite_schema where type = 'index' and name like '%_part'`
      expect((await indexes.execute(db)).rows).toEqual([])
    })
    return
  }

  it('has an index that a search uses', async () => {
    const { db } = await bench.panel()

    expect(await indexesOfParts(db)).toEqual(['domains_fqdn_part', 'tenants_name_part', 'users_email_part'])
    const plan = await db.transaction().execute(async (tx) => {
      await sql`set local enable_seqscan = off`.execute(tx)
      await sql`set local enable_indexscan = off`.execute(tx)
      return await sql`explain select id from domains where fqdn like ${'%shop%'} escape '\\'`.execute(tx)
    })
    expect(JSON.stringify(plan.rows)).toContain('domains_fqdn_part')
  })

  it('is read for where the user may add no module', async () => {
    const db = openStore(await asStranger(await bench.place()))

    const applied = await migrate(db, now, { migrations })
    const indexes = await indexesOfParts(db)
    const found = await db.selectFrom('domains').select('id').where('fqdn', 'like', '%shop%').execute()
    await db.destroy()

    expect([applied.length, indexes, found]).toEqual([migrations.length, [], []])
  })
})
