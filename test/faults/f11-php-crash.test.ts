/** F11: PHP of one tenant ends again and again, or does not start. */
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { Fqdn, TenantName } from '../../src/contract/values.ts'
import { processes } from '../support/processes.ts'
import { isWhole } from './rows.ts'
import { inWorld, siteOf, until, type World } from './world.ts'

const site = siteOf('alpha')
const rounds = isWhole ? 20 : 4

function page({ product }: World, name: string, tenant: string, code: string): void {
  const docroot = product.places.customers.docroot(TenantName.parse(tenant), Fqdn.parse(siteOf(tenant)))
  writeFileSync(join(docroot, name), `<?php ${code}`)
}

const neighbour = ({ product }: World) => product.visit(siteOf('neighbour'), { path: '/index.php' })

/** Everything that runs as the owner of the document root, as the kernel ends it when the memory of a slice is used up. */
function killAllOf(docroot: string): void {
  const { uid } = statSync(docroot)
  const own = processes().filter((one) => one.uid === uid)
  expect(own.length).toBeGreaterThan(1)
  for (const { pid } of own) process.kill(pid, 'SIGKILL')
}

it(
  'wakes PHP of a tenant anew that is killed again and again, and keeps the others out of it',
  inWorld(
    'F11',
    `PHP killed under a request, ${rounds} times`,
    'that request failed alone; woken each time',
    async (world) => {
      const { product } = world
      await world.createTenant('alpha')
      await world.settled()
      const docroot = product.places.customers.docroot(TenantName.parse('alpha'), Fqdn.parse(site))
      const began = join(docroot, 'began')
      page(world, 'slow.php', 'alpha', 'touch("began"); sleep(60);')
      page(world, 'index.php', 'alpha', 'echo 1;')
      page(world, 'index.php', 'neighbour', 'echo 1;')

      for (let round = 0; round < rounds; round++) {
        const slow = product.visit(site, { path: '/slow.php' })
        await until('the request is at work', () => existsSync(began))
        killAllOf(docroot)
        expect(await slow).toBeGreaterThanOrEqual(500)
        rmSync(began)
        expect(await neighbour(world)).toBe(200)
        await until(
          'the tenant is served again',
          async () => (await product.visit(site, { path: '/index.php' })) === 200,
        )
      }
      await world.oracle()
    },
  ),
)

it(
  'tells of PHP that cannot start, tries it with growing pauses, and wakes it when it can',
  inWorld(
    'F11',
    'pool of one tenant that PHP refuses',
    '503 there alone, few lines; served when mended',
    async (world) => {
      const { product } = world
      await world.createTenant('alpha')
      await world.settled()
      page(world, 'index.php', 'alpha', 'echo 1;')
      page(world, 'index.php', 'neighbour', 'echo 1;')
      const config = product.places.web.fpmConfig(TenantName.parse('alpha'))
      const good = readFileSync(config, 'utf8')
      writeFileSync(config, `${good}\nnonsense = 1\n`)

      const until6s = performance.now() + 6000
      while (performance.now() < until6s) {
        expect(await product.visit(site, { path: '/index.php' })).toBe(503)
        expect(await neighbour(world)).toBe(200)
      }

      expect(product.output.split('"PHP did not start"').length - 1).toBeLessThanOrEqual(4)
      expect(JSON.stringify(await product.call('GET', '/health/drift'))).toContain('nonsense')
      writeFileSync(config, good)
      await until('the tenant is served again', async () => (await product.visit(site, { path: '/index.php' })) === 200)
      await world.oracle([/^PHP did not start$/])
    },
  ),
)
