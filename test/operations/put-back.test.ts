/** What ends when the store is put back from a backup: what may have been ended since. */
import { expect, it } from 'vitest'
import type { TrailEnd } from '../../src/contract/wire.ts'
import { settleRestoredStore } from '../../src/panel/rescue/restored-store.ts'
import { ask } from './support/client.ts'
import { testPanel, until } from './support/test-panel.ts'

it('ends sessions and API keys, and leaves both alone in a store that is not older', async () => {
  const test = await testPanel()
  const email = 'ann@example.com'
  await test.root('POST', '/api/v1/packages', { name: 'basic' })
  const browser = await test.administrator(email)
  const made = await test.root('POST', `/api/v1/users/${email}/api-keys`, { name: 'deploy', scopes: ['package.list'] })
  const headers = { authorization: `Bearer ${made.json().token}` }
  const path = '/api/v1/packages'
  const answers = async () => [
    (await ask({ port: test.panel.port }, { path, headers })).status,
    (await browser.call('GET', path)).status,
  ]
  const { sequence, checksum } = await test.panel.db
    .selectFrom('audit_logs')
    .select(['sequence', 'checksum'])
    .orderBy('sequence', 'desc')
    .limit(1)
    .executeTakeFirstOrThrow()

  const told = { epoch: 0, readOnly: null }
  const settle = (trail: TrailEnd) => settleRestoredStore(test.panel.db, { trail, ...told }, async () => 1)

  expect(await settle({ sequence, checksum })).toBe(false)
  expect(await answers()).toEqual([200, 200])
  expect(await settle({ sequence: sequence + 5, checksum })).toBe(true)
  // A key that was just used is remembered for half a second, as this change is not one of the panel's own.
  await until(async () => (await answers()).join() === '401,401')
  await test.stop()
})

it('has tokens counted anew, and leaves what waited in the backup behind', async () => {
  const test = await testPanel({ machine: { play: () => 'ignore' } })
  await test.root('POST', '/api/v1/packages', { name: 'basic' })
  const { db } = test.panel
  const asked: number[] = []
  const newEpoch = async () => {
    asked.push(7)
    return 7
  }
  const notOurs = { sequence: 999, checksum: '0'.repeat(64) }
  const settle = (trail: TrailEnd | null, epoch: number, readOnly: string | null = null) =>
    settleRestoredStore(db, { trail, epoch, readOnly }, newEpoch)
  const make = async (name: string) => {
    await test.root('POST', '/api/v1/tenants', { name, package: 'basic' })
    const rows = await db
      .selectFrom('jobs')
      .select(['epoch', 'resource_name', 'is_staff'])
      .orderBy('sequence')
      .execute()
    return rows.map((row) => `${row.resource_name} ${row.epoch} ${row.is_staff}`)
  }

  expect(await make('before')).toEqual(['before 0 1'])
  expect(await settle(notOurs, 5, 'it only inspects')).toBe(true)
  expect(asked).toEqual([])
  expect(await make('between')).toEqual(['before 0 1', 'between null 1'])
  expect(await settle(null, 5)).toBe(false)
  expect(asked).toEqual([7])
  expect(await make('after')).toEqual(['before 0 1', 'between 7 1', 'after 7 1'])
  expect(await settle(null, 7)).toBe(false)
  expect(await settle(null, 8)).toBe(false)
  expect(asked).toEqual([7])
  expect((await make('last')).at(-1)).toBe('last 8 1')
  await test.stop()
})
