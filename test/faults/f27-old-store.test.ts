/** F27: the panel's store is put back from a copy that is older than the machine. */
import { copyFileSync, existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { makeAdministrator, session, signedIn, visitPage } from './sign-in.ts'
import { inWorld, siteOf, until, type World } from './world.ts'

const explained = [
  'the store was put back from a backup',
  'the root side has another audit trail than the store',
  'audit trail of the panel does not go on where it ended',
  'the agent tells of an unknown job',
  'the agent is gone',
]

/** Sends it, and answers how its job ended. */
async function ended(world: World, method: 'POST' | 'DELETE', path: string): Promise<string | undefined> {
  const before = new Set((await world.jobs()).map(({ id }) => id))
  await world.product.call(method, path)
  const jobs = await world.settled()
  return jobs.find(({ id }) => !before.has(id))?.state
}

it(
  'lets every next change through, ends every session, and takes nothing from the machine',
  inWorld(
    'F27',
    'state.db put back from an older copy',
    'next changes accepted, all signed out, nothing removed',
    async (world) => {
      const { product } = world
      const alpha = siteOf('alpha')
      const store = join(product.places.panelState, 'state.db')
      await world.createTenant('alpha')
      await world.settled()
      await makeAdministrator(world)
      const cookie = (await session(world)) ?? ''
      expect(await visitPage(world, '/tenants', cookie)).toBe(200)
      await product.stop()
      copyFileSync(store, `${store}.copy`)
      await product.start()
      for (const verb of ['suspend', 'unsuspend', 'suspend', 'unsuspend'])
        for (const path of ['/tenants/alpha', `/domains/${alpha}`])
          expect(await ended(world, 'POST', `${path}/${verb}`)).toBe('succeeded')
      await world.createTenant('beta')
      await world.settled()

      await product.stop()
      for (const end of ['-wal', '-shm']) if (existsSync(store + end)) rmSync(store + end)
      copyFileSync(`${store}.copy`, store)
      await product.start()

      await until('it is told', () => product.output.includes('"the store was put back from a backup"'))
      expect(await visitPage(world, '/tenants', cookie)).toBe(303)
      expect(await signedIn(world)).toBe(true)
      for (const path of [`/domains/${alpha}`, '/tenants/alpha'])
        for (const verb of ['suspend', 'unsuspend'])
          expect(await ended(world, 'POST', `${path}/${verb}`)).toBe('succeeded')
      for (const name of ['alpha', 'beta', 'neighbour']) expect(await product.visit(siteOf(name))).toBe(200)
      const only = { changes: [{ step: "active on the machine, not there in the panel's store", action: 'change' }] }
      expect(await product.call('GET', '/health/drift')).toMatchObject({
        items: [
          { resource: 'tenant beta', ...only },
          { resource: `domain ${siteOf('beta')}`, ...only },
        ],
      })
      expect(world.complaints().filter((line) => !explained.includes(line))).toEqual([])
    },
  ),
)
