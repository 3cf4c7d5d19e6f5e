/** Statements that come again and again: PostgreSQL plans them once for a connection. */
import { type Kysely, sql } from 'kysely'
import { expect, it } from 'vitest'
import type { Database } from '../../src/store/database.ts'
import { onBothStores } from './both-stores.ts'
import { newId } from './harness.ts'

const emails = Array.from({ length: 30 }, (_, index) => `person${index}@example.com`)
const now = '2026-03-01T12:00:00.000Z'
const rowOf = (email: string) => ({
  ...{ id: newId(), email, password_hash: 'x', tenant_id: null, status: 'active' as const },
  ...{ created_at: now, updated_at: now, deleted_at: null },
})

async function preparedOn(connection: Kysely<Database>): Promise<string[]> {
  const { rows } = await sql<{ statement: string }>`select statement from pg_prepared_statements`.execute(connection)
  return rows.map(({ statement }) => statement).filter((statement) => statement.startsWith('select "email"'))
}

onBothStores('a statement', (bench, store) => {
  it('is answered alike however often, and planned once unless it searches or has a list', async () => {
    const { db } = await bench.panel()
    for (const email of emails) await db.insertInto('users').values(rowOf(email)).execute()

    await db.connection().execute(async (one) => {
      const users = one.selectFrom('users').select('email')
      for (const email of emails) {
        expect(await users.where('email', '=', email).execute()).toEqual([{ email }])
        expect(await users.where('email', 'like', `%${email.slice(2)}`).execute()).toEqual([{ email }])
      }
      expect(await users.where('email', 'in', emails).execute()).toHaveLength(30)
      if (store === 'postgres')
        expect(await preparedOn(one)).toEqual(['select "email" from "users" where "email" = $1'])
    })
  })
})
