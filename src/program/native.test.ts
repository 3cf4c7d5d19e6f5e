import { describe, expect, it } from 'vitest'
import { koffi } from '../program/native-koffi.ts'
import { isAtLeast, openDatabase } from '../program/native-sqlite.ts'

describe('openDatabase', () => {
  it('opens a database with the pinned SQLite', () => {
    const database = openDatabase(':memory:')

    database.exec('create table tenant (name text) strict')
    database.prepare('insert into tenant values (?)').run('blog')

    expect(database.prepare('select name from tenant').pluck().all()).toEqual(['blog'])
    database.close()
  })

  it.each([
    ['3.51.2', false],
    ['3.51.3', true],
    ['3.51.10', true],
    ['3.9.0', false],
    ['4.0.0', true],
  ])('takes SQLite %s for safe: %s', (version, safe) => {
    expect(isAtLeast(version, '3.51.3')).toBe(safe)
  })
})

describe('koffi', () => {
  it('calls into libc', () => {
    const getppid = koffi().load('libc.so.6').func('int getppid()')

    expect(getppid()).toBe(process.ppid)
  })
})
