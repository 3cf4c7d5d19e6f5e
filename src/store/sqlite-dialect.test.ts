import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Database, openDatabase } from '../program/native-sqlite.ts'
import type { Db } from './database.ts'
import { openStore } from './open-store.ts'

describe('a store that another process is writing to', () => {
  let directory: string
  let db: Db
  let other: Database

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'wcp-store-'))
    db = openStore(join(directory, 'state.db'))
    await sql`create table words (word text)`.execute(db)
    other = openDatabase(join(directory, 'state.db'))
    other.exec('begin immediate')
  })

  afterEach(async () => {
    other.close()
    await db.destroy()
    rmSync(directory, { recursive: true })
  })

  const write = (word: string) => db.transaction().execute((tx) => sql`insert into words values (${word})`.execute(tx))
  const words = async () => (await sql<{ word: string }>`select word from words order by word`.execute(db)).rows

  it('is read while a writer waits, and timers run', async () => {
    let ticks = 0
    const timer = setInterval(() => ticks++, 10)
    const writing = write('late').catch((error) => error)

    for (let round = 0; round < 5; round++) {
      expect(await words()).toEqual([])
      await pause(20)
    }

    clearInterval(timer)
    expect(ticks).toBeGreaterThan(3)
    other.exec('commit')
    await writing
  })

  it('takes every writer once it is free', async () => {
    const writing = Promise.all([write('a'), write('b'), sql`insert into words values ('c')`.execute(db)])
    await pause(50)

    other.exec('commit')
    await writing

    expect(await words()).toEqual([{ word: 'a' }, { word: 'b' }, { word: 'c' }])
  })

  it('is given up on in bounded time', async () => {
    const began = performance.now()

    await expect(write('never')).rejects.toMatchObject({ code: 'SQLITE_BUSY' })

    expect(performance.now() - began).toBeGreaterThan(4000)
    expect(await words()).toEqual([])
  }, 30_000)
})

it('lets timers and sockets have their turn within a chain of statements, however long', async () => {
  const db = openStore(':memory:')
  const busy = sql`with recursive n(i) as (select 1 union all select i + 1 from n where i < 50000) select count(*) from n`
  let isHeard = false
  setImmediate(() => {
    isHeard = true
  })

  let statements = 0
  for (; !isHeard && statements < 1000; statements++) await busy.execute(db)
  await db.destroy()

  expect(isHeard).toBe(true)
})

it('says that the disk is full when SQLite has ended the transaction by itself', async () => {
  const db = openStore(':memory:')
  await sql`create table words (word text)`.execute(db)
  const { rows } = await sql<{ page_count: number }>`pragma page_count`.execute(db)
  await sql`pragma max_page_count = ${sql.lit(rows[0]?.page_count)}`.execute(db)

  const writing = db.transaction().execute((tx) => sql`insert into words values (zeroblob(100000))`.execute(tx))

  await expect(writing).rejects.toMatchObject({ code: 'SQLITE_FULL' })
  await db.destroy()
})
