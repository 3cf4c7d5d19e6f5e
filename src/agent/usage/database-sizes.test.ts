import { expect, it } from 'vitest'
import { DatabaseName } from '../../contract/database.ts'
import type { Id } from '../../contract/values.ts'
import type { DatabaseServer } from '../os/databases/database-server.ts'
import { databaseSizes } from './database-sizes.ts'

const never = () => Promise.reject(new Error('not asked here'))
/** Asked for sizes alone. */
function server(size: DatabaseServer['size']): DatabaseServer {
  const other = { knows: never, database: never, createDatabase: never, dropDatabase: never, status: never }
  return { ...other, user: never, putUser: never, dropUser: never, dump: never, load: never, size }
}

const signal = new AbortController().signal
const tenant = (id: string, ...databases: readonly (readonly ['mariadb' | 'postgresql', string])[]) => ({
  id: id as Id,
  account: null,
  databases: databases.map(([engine, name]) => ({ id: name as Id, engine, name: DatabaseName.parse(name) })),
})

it('tells the size of each, and nothing of those whose server is silent, which is asked once', async () => {
  let asked = 0
  const databases = {
    mariadb: server(async (name) => (name === 'gone' ? null : 4096)),
    postgresql: server(async () => {
      asked++
      throw new Error('away')
    }),
  }

  const sizes = await databaseSizes(
    { databases },
    [tenant('one', ['mariadb', 'shop'], ['postgresql', 'p']), tenant('two', ['postgresql', 'q'], ['mariadb', 'gone'])],
    signal,
  )

  expect(sizes).toEqual([
    {
      tenant: 'one',
      databases: [
        { database: 'shop', bytes: 4096 },
        { database: 'p', bytes: null },
      ],
    },
    {
      tenant: 'two',
      databases: [
        { database: 'q', bytes: null },
        { database: 'gone', bytes: null },
      ],
    },
  ])
  expect(asked).toBe(1)
})

it('leaves those for the next time for whom an answer has no room', async () => {
  const databases = { mariadb: server(async () => 1), postgresql: server(never) }
  const many = (id: string) => tenant(id, ...Array.from({ length: 900 }, (_, at) => ['mariadb', `d${at}`] as const))

  const sizes = await databaseSizes({ databases }, [many('one'), many('two')], signal)

  expect(sizes.map((one) => one.tenant)).toEqual(['one'])
})
