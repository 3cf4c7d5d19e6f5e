import { pino } from 'pino'
import { expect, it } from 'vitest'
import { openStore } from '../../store/open-store.ts'
import type { Stores } from '../stores.ts'
import { driftWatcher } from './drift-watcher.ts'

it('ends with the panel, and not with the look of a root side that takes its time', async () => {
  const db = openStore(':memory:')
  const nothingSeen = { dropRepaired: async () => {}, round: async () => null }
  const asked = Promise.withResolvers<void>()
  const watcher = driftWatcher({
    db,
    storesOf: () => ({ driftFindings: nothingSeen }) as unknown as Stores, // the others are not asked
    log: pino({ level: 'silent' }),
    page: () => {
      asked.resolve()
      return new Promise(() => {})
    },
    machine: { inventory: () => Promise.reject(new Error('not asked here')) },
    kinds: [],
    pace: { partMs: 0, roundMs: 0, tickMs: 1 },
  })
  watcher.start()
  await asked.promise

  await expect(watcher.stop()).resolves.toBeUndefined()
  await db.destroy()
})
