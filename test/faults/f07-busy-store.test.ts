/** F07: another process holds the write lock of the panel's store. */
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { openDatabase } from '../../src/program/native-sqlite.ts'
import { inWorld, refusal, siteOf, type World } from './world.ts'

function lock(world: World): { free(): void } {
  const other = openDatabase(join(world.product.places.panelState, 'state.db'))
  other.exec('begin immediate')
  return { free: () => void other.close() }
}

it(
  'refuses changes with 503 in bounded time, and reads on at once',
  inWorld(
    'F07',
    'state store locked by another process',
    '503 with Retry-After after 5 s; pages at once',
    async (world) => {
      const { product } = world
      const other = lock(world)
      const changes = ['red', 'green', 'blue'].map(async (name) => {
        const began = performance.now()
        const refused = await refusal(world.createTenant(name))
        return {
          code: refused?.code,
          details: refused?.details,
          seconds: Math.floor((performance.now() - began) / 1000),
        }
      })

      let slowest = 0
      for (let round = 0; round < 10; round++) {
        const began = performance.now()
        await product.call('GET', '/tenants')
        slowest = Math.max(slowest, performance.now() - began)
        await pause(300)
      }

      const refused = await Promise.all(changes)
      expect(slowest).toBeLessThan(2000)
      for (const one of refused) {
        expect(one).toMatchObject({ code: 'unavailable', details: { retryAfterSeconds: 5 } })
        expect(one.seconds).toBeLessThan(12)
      }
      other.free()
      await world.oracle([/^an operation failed$/, /^housekeeping failed$/, /^jobs could not be watched$/])
    },
  ),
)

it(
  'keeps the line to the agent, and stores the end of a job when the lock is gone',
  inWorld('F07', 'state store locked while a job runs', 'the line stays up; the job ended', async (world) => {
    const { product } = world
    const connections = () => product.output.split('"the agent is connected"').length
    const before = connections()
    await world.createTenant('violet')
    const other = lock(world)

    await pause(8000)

    expect(await product.visit(siteOf('neighbour'))).toBe(200)
    other.free()
    const jobs = await world.settled()
    expect(jobs.map(({ state }) => state)).not.toContain('failed')
    expect(jobs.map(({ state }) => state)).not.toContain('stalled')
    expect(await product.visit(siteOf('violet'))).toBe(200)
    expect(connections()).toBe(before)
    await world.oracle([/^queued jobs could not be sent$/, /^housekeeping failed$/, /^jobs could not be watched$/])
  }),
)
