/** The copy that an upgrade leaves of a SQLite store, and the way back to it. */
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { migrations, ownSchema } from '../../src/resources/index.ts'
import { keptCopies, migrateKeepingCopy, putBack } from '../../src/store/kept-copy.ts'
import { schemaOf } from '../../src/store/migrate.ts'
import type { Migration } from '../../src/store/migrations/migration.ts'
import { openStore } from '../../src/store/open-store.ts'

const now = '2026-03-01T12:00:00.000Z'
const own = ownSchema
const later = (number: number, statement = `create table later_${number} (id text)`): Migration => ({
  number,
  name: `later-${number}`,
  statements: () => [statement],
})

let directory: string
let store: string

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'wcp-kept-'))
  store = join(directory, 'state.db')
  await start([])
})
afterEach(() => rmSync(directory, { recursive: true }))

/** As a version does that knows these besides. */
async function start(more: readonly Migration[], at = now): Promise<void> {
  const db = openStore(store)
  try {
    await migrateKeepingCopy(db, store, at, [...migrations, ...more])
  } finally {
    await db.destroy()
  }
}

async function schemaIn(file: string): Promise<number> {
  const db = openStore(file)
  try {
    return await schemaOf(db)
  } finally {
    await db.destroy()
  }
}

it('is not made of a new store, nor where nothing changes', async () => {
  await start([])
  expect(readdirSync(directory)).toEqual(['state.db'])
})

it('is the store as it was, and the only one', async () => {
  await start([later(own + 1)])
  await start([later(own + 1), later(own + 2)])

  const [copy, ...others] = keptCopies(store)
  expect(others).toEqual([])
  expect(copy).toEqual({ file: `${store}.schema-${own + 1}`, schema: own + 1 })
  expect(await schemaIn(copy?.file ?? '')).toBe(own + 1)
  expect(readdirSync(directory).toSorted()).toEqual(['state.db', `state.db.schema-${own + 1}`])
})

it('is there before a migration that fails', async () => {
  await expect(start([later(own + 1, 'create table users (id text)')])).rejects.toThrow(/migration \d+ .* failed/)

  expect(keptCopies(store)).toEqual([{ file: `${store}.schema-${own}`, schema: own }])
  expect(await schemaIn(store)).toBe(own)
})

it('is made anew over what a start left that was killed', async () => {
  writeFileSync(`${store}.schema-${own}.new`, 'half of it')
  await start([later(own + 1)])
  expect(await schemaIn(`${store}.schema-${own}`)).toBe(own)
})

it('is not there, and nothing is changed, where it cannot be written', async () => {
  const db = openStore(store)
  const nowhere = join(directory, 'gone', 'state.db')
  await expect(migrateKeepingCopy(db, nowhere, now, [...migrations, later(own + 1)])).rejects.toThrow()
  await db.destroy()

  expect(await schemaIn(store)).toBe(own)
})

it('goes after a month', async () => {
  await start([later(own + 1)])
  const made = new Date('2026-03-01T12:00:00.000Z')
  utimesSync(`${store}.schema-${own}`, made, made)

  await start([later(own + 1)], '2026-03-31T11:59:00.000Z')
  expect(keptCopies(store)).toHaveLength(1)
  await start([later(own + 1)], '2026-03-31T12:00:01.000Z')
  expect(keptCopies(store)).toEqual([])
})

it('is put back beside the newer store, and stays', async () => {
  await start([later(own + 1)])
  const [copy] = keptCopies(store)
  if (copy === undefined) throw new Error('there is no copy')

  const aside = await putBack(copy, store, now)

  expect(await schemaIn(store)).toBe(own)
  expect(await schemaIn(aside)).toBe(own + 1)
  expect(existsSync(copy.file)).toBe(true)
  expect(statSync(store).ino).not.toBe(statSync(aside).ino)
})

it('is not put back when it is damaged, nor while somebody has the store open', async () => {
  await start([later(own + 1)])
  const [copy] = keptCopies(store)
  if (copy === undefined) throw new Error('there is no copy')
  const open = openStore(store)
  await sql`create table written (id text)`.execute(open)
  await expect(putBack(copy, store, now)).rejects.toThrow(/open in another process/)
  await open.destroy()

  const bytes = readFileSync(copy.file)
  writeFileSync(copy.file, bytes.fill(0x55, 4096, 8192))
  await expect(putBack(copy, store, now)).rejects.toThrow()

  expect(await schemaIn(store)).toBe(own + 1)
})
