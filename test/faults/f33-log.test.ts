/** F33: nobody reads the log any more, or the audit log takes nothing. */
import { setTimeout as pause } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { inject } from './injected.ts'
import { inWorld, refusal, siteOf } from './world.ts'

it(
  'goes on when whoever read its log is gone',
  inWorld('F33', 'log pipe closed by its reader', 'no process ends; jobs and sites go on', async (world) => {
    const { product } = world
    const before = product.pids

    product.closeLog()
    await world.createTenant('alpha')
    await world.settled()
    await product.call('POST', '/tenants/alpha/suspend')
    await world.settled()
    await pause(2000)

    expect(product.isRunning).toBe(true)
    expect(product.pids).toEqual(before)
    await world.oracle()
    await product.restart()
    await world.oracle([/^a job failed$/])
  }),
)

it(
  'lets nothing new happen while the audit log takes nothing, and reads and serves on',
  inWorld(
    'F33',
    'audit log takes no line',
    'jobs refused with the reason; read, served; then as before',
    async (world) => {
      const { product } = world
      const injection = await inject(product.pids.agent, 'write', 'error=EIO', product.places.auditLog)
      await world.createTenant('alpha')
      const jobs = await world.settled()

      const ofAlpha = jobs.filter(({ tenantName }) => tenantName === 'alpha')
      expect(ofAlpha).toHaveLength(2)
      for (const { state, failure } of ofAlpha) {
        expect(state).toBe('failed')
        expect(failure?.message).toMatch(/^Cannot accept ".*": the audit log cannot be written$/)
      }
      expect(injection.count()).toBeGreaterThan(0)
      expect(await refusal(product.call('GET', '/tenants'))).toBeUndefined()
      expect(await product.visit(siteOf('neighbour'))).toBe(200)
      await injection.end()
      await world.oracle([
        /^job was refused: it cannot be written down$/,
        /^a job failed$/,
        /^audit log cannot be written$/,
        /^audit entries of the panel cannot be written$/,
      ])
    },
  ),
)
