import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Database, openDatabase } from '../../program/native-sqlite.ts'
import { GroupCommit } from './group-commit.ts'

let database: Database
let commits: number
beforeEach(() => {
  commits = 0
  database = openDatabase(':memory:', {
    verbose: (text) => {
      if (text === 'COMMIT') commits++
    },
  })
  database.exec('create table words (word text primary key) strict')
})
afterEach(() => database.close())

const write = (word: string) => () => void database.prepare('insert into words values (?)').run(word)
const words = () => database.prepare('select word from words order by word').pluck().all()

describe('GroupCommit', () => {
  it('writes what comes at the same time in one transaction', async () => {
    const group = new GroupCommit(database)

    await Promise.all([group.add(write('a')), group.add(write('b')), group.add(write('c'))])

    expect(words()).toEqual(['a', 'b', 'c'])
    expect(commits).toBe(1)
  })

  it('takes back a write that fails, alone, with all that it had written', async () => {
    const group = new GroupCommit(database)
    const twice = () => {
      write('b')()
      write('a')()
    }

    const ends = await Promise.allSettled([group.add(write('a')), group.add(twice), group.add(write('c'))])

    expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(words()).toEqual(['a', 'c'])
  })

  it('tells everybody when the whole cannot be written', async () => {
    const group = new GroupCommit(database)
    const ends = Promise.allSettled([group.add(write('a')), group.add(write('b'))])

    database.pragma('query_only = on')
    const outcomes = await ends
    database.pragma('query_only = off')

    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(words()).toEqual([])
  })

  it('writes at once what waits when it is flushed', () => {
    const group = new GroupCommit(database)

    void group.add(write('a'))
    group.flush()

    expect(words()).toEqual(['a'])
  })
})
