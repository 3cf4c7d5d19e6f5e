import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { openDatabase } from './native-sqlite.ts'
import { keepReserve } from './sqlite-reserve.ts'

const directory = mkdtempSync(join(tmpdir(), 'wcp-reserve-'))
afterEach(() => rmSync(directory, { recursive: true }))

it('lets a thousand later transactions do without more room on the disk', () => {
  const file = join(directory, 'a.db')
  const database = openDatabase(file)
  database.pragma('journal_mode = WAL')
  database.exec('create table words (word text)')

  expect(keepReserve(database)).toBe(true)

  const sizes = () => [statSync(file).size, statSync(`${file}-wal`).size]
  const before = sizes()
  for (let count = 0; count < 1000; count++) database.prepare('insert into words values (?)').run('x'.repeat(100))
  expect(sizes()).toEqual(before)
  database.close()
})
