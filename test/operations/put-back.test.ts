/** What ends when the store is put back from a backup: what may have been ended since. */
import { expect, it } from 'vitest'
import { settlePutBackStore } from '../../src/panel/rescue/put-back-store.ts'
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

  expect(await settlePutBackStore(test.panel.db, { trail: { sequence, checksum }, fence: 0 })).toBe(false)
  expect(await answers()).toEqual([200, 200])
  expect(await settlePutBackStore(test.panel.db, { trail: { sequence: sequence + 5, checksum }, fence: 0 })).toBe(true)
  // A key that was just used is remembered for half a second, as this change is not one of the panel's own.
  await until(async () => (await answers()).join() === '401,401')
  await test.stop()
})
