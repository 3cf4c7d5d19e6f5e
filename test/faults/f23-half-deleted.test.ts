/** F23: the agent dies in the middle of a deletion, and of the removal for good. */
import { existsSync, statSync } from 'node:fs'
import { expect, it } from 'vitest'
import { Fqdn, TenantName } from '../../src/contract/values.ts'
import { purge } from './crash-jobs.ts'
import { inject } from './injected.ts'
import { inWorld, refusal, siteOf, type World } from './world.ts'

const ends = [/^job is resumed$/, /^service ended$/]
const alpha = TenantName.parse('alpha')

const uidOf = ({ product }: World) => statSync(product.places.customers.docroot(alpha, Fqdn.parse(siteOf('alpha')))).uid

/** The agent is killed at its n-th call of that name and started again. */
async function killedAt({ product }: World, calls: string, n: number, work: () => Promise<unknown>): Promise<void> {
  const injection = await inject(product.pids.agent, calls, `signal=SIGKILL:when=${n}`)
  await work()
  await product.ended()
  await injection.end()
  await product.start()
}

it(
  'ends a deletion and a removal in whose middle it was killed, and gives the name free after it, the uid never',
  inWorld(
    'F23',
    'killed in a deletion, then in the removal',
    'both ended; name free only then, uid never',
    async (world) => {
      const { product } = world
      await world.createTenant('alpha')
      await world.settled()
      const uid = uidOf(world)

      await killedAt(world, 'rename,renameat,renameat2', 2, () => product.call('DELETE', '/tenants/alpha'))
      const deleted = await world.settled()
      expect(deleted[0]).toMatchObject({ type: 'tenant.delete', state: 'succeeded' })
      expect(existsSync(product.places.customers.tenant(alpha))).toBe(false)
      expect(await product.visit(siteOf('alpha'))).toBe(0)

      expect((await refusal(world.createTenant('alpha')))?.code).toBe('conflict')

      await killedAt(world, 'unlink,unlinkat,rmdir', 3, () => purge(product))
      const purged = await world.settled()
      expect(purged.find(({ type }) => type === 'tenant.purge')).toMatchObject({ state: 'succeeded' })
      await world.createTenant('alpha')
      await world.settled()
      expect(await product.visit(siteOf('alpha'))).toBe(200)
      expect(uidOf(world)).toBeGreaterThan(uid)
      await world.oracle(ends)
    },
  ),
)
