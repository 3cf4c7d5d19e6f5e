/** F31: the disk answers late. */
import { expect, it } from 'vitest'
import { inject } from './injected.ts'
import { inWorld, siteOf, until, type World } from './world.ts'

const creation = async (world: World, name: string) =>
  (await world.jobs()).find(({ type, tenantName }) => type === 'tenant.create' && tenantName === name)

it(
  'beats on while a step waits for the disk of the sites',
  inWorld('F31', 'one fsync of a job takes 20 s', 'heartbeats stored, sites served, the job ended', async (world) => {
    const { product } = world
    const where = product.places.customers.root
    const injection = await inject(product.pids.agent, 'fsync', 'delay_enter=20s:when=1', where)
    await world.createTenant('slow')

    await until('a heartbeat was stored while the call waits', async () => {
      const { startedAt = null, heartbeatAt = null, state } = (await creation(world, 'slow')) ?? {}
      expect(state).toBeOneOf(['queued', 'running'])
      return startedAt !== null && heartbeatAt !== null && Date.parse(heartbeatAt) - Date.parse(startedAt) >= 3000
    })
    expect(await product.visit(siteOf('neighbour'))).toBe(200)
    await injection.end()

    const jobs = await world.settled()
    expect(new Set(jobs.map(({ state }) => state))).toEqual(new Set(['succeeded']))
    await world.oracle()
  }),
)

it(
  'ends every job when each wait for the disk takes a tenth of a second',
  inWorld('F31', 'every fsync of the agent takes 0.1 s', 'slower, none stalled, none failed', async (world) => {
    const injection = await inject(world.product.pids.agent, 'fsync,fdatasync', 'delay_enter=100ms')
    await world.createTenant('alpha')
    const jobs = await world.settled(120_000)

    expect(injection.count()).toBeGreaterThan(10)
    await injection.end()
    expect(new Set(jobs.map(({ state }) => state))).toEqual(new Set(['succeeded']))
    await world.oracle()
  }),
)
