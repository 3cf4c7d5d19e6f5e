import { expect, it } from 'vitest'
import { databaseStates } from './database-states.ts'
import type { DatabaseServer } from './os/databases/database-server.ts'

const never = () => Promise.reject(new Error('not asked here'))
/** Asked how it is alone. */
function server(status: DatabaseServer['status']): DatabaseServer {
  const other = { knows: never, database: never, createDatabase: never, dropDatabase: never, size: never }
  return { ...other, user: never, putUser: never, dropUser: never, dump: never, load: never, status }
}

const healthy = server(async () => ({ version: '17.6', connections: 3, mostConnections: 100 }))

it('tells version and connections of those that tenants use', async () => {
  const states = await databaseStates({ mariadb: server(never), postgresql: healthy })(['postgresql'])

  expect(states).toEqual([{ name: 'postgresql', state: 'running', detail: '17.6, 3 of 100 connections' }])
})

it('says why one is not well, and waits for none', async () => {
  const away = server(() => Promise.reject(new Error('Cannot reach MariaDB')))
  let asked = 0
  const silent = server(() => {
    asked++
    return new Promise(() => {})
  })
  const states = databaseStates({ mariadb: away, postgresql: silent }, 10)

  expect(await states(['mariadb', 'postgresql'])).toEqual([
    { name: 'mariadb', state: 'failed', detail: 'Cannot reach MariaDB' },
    { name: 'postgresql', state: 'failed', detail: 'it did not answer within 0.01 s' },
  ])
  await states(['postgresql'])
  expect(asked).toBe(1)
})
