/** F22: somebody edits, removes and changes what belongs to the product. */
import { chmodSync, chownSync, lstatSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { TenantName } from '../../src/contract/values.ts'
import { inWorld, siteOf, type World } from './world.ts'

const Drift = z.object({ items: z.array(z.looseObject({ resource: z.string() })) })
const drift = async ({ product }: World) => Drift.parse(await product.call('GET', '/health/drift')).items
const name = TenantName.parse('alpha')

async function worldWithAlpha(world: World): Promise<void> {
  await world.createTenant(name)
  await world.settled()
}

it(
  'names each managed file that was edited, removed or given another mode',
  inWorld('F22', 'managed files edited, removed, chmod', 'each named; nothing else', async (world) => {
    await worldWithAlpha(world)
    const { web, root } = world.product.places
    const users = join(root, 'etc/userdb')
    const managed: readonly (readonly [file: string, asTold: string])[] = [
      [web.fpmConfig(name), web.fpmConfig(name)],
      [web.limits(name), 'limits of alpha'],
      [join(users, 'alpha.user'), '/etc/userdb/alpha.user'],
      [join(users, 'alpha.group'), '/etc/userdb/alpha.group'],
    ]
    for (const [file, asTold] of managed) {
      const before = readFileSync(file)
      const { mode, uid, gid } = lstatSync(file)
      const edit = () => writeFileSync(file, `${before}\n# mine\n`)
      for (const change of [edit, () => rmSync(file), () => chmodSync(file, 0o666)]) {
        change()
        const found = await drift(world)
        expect(found.map(({ resource }) => resource)).toEqual(['tenant alpha'])
        expect(JSON.stringify(found)).toContain(asTold)
        writeFileSync(file, before)
        chownSync(file, uid, gid)
        chmodSync(file, mode)
      }
      expect(await drift(world)).toEqual([])
    }
    await world.oracle()
  }),
)

it(
  'writes over no edit by itself: not by a job of the same tenant, not at a start',
  inWorld('F22', 'edit of a managed file, then jobs and a restart', 'told and kept', async (world) => {
    await worldWithAlpha(world)
    const { product } = world
    const config = product.places.web.fpmConfig(name)
    const before = readFileSync(config)
    writeFileSync(config, `${before}; mine\n`)

    await product.call('POST', '/domains', { tenant: name, fqdn: 'second.example.com' })
    await world.settled()
    await product.restart()

    expect(readFileSync(config, 'utf8')).toContain('; mine')
    expect(JSON.stringify(await drift(world))).toContain('; mine')
    for (const site of [siteOf(name), 'second.example.com']) expect(await product.visit(site)).toBe(200)
    writeFileSync(config, before)
    await world.oracle()
  }),
)
