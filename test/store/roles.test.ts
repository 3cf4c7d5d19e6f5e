/** Who may give what to whom: roles, and resellers with customers, packages and limits of their own. */
import { describe, expect, it } from 'vitest'
import type { Actor } from '../../src/resources/actor.ts'
import { everything } from '../../src/resources/scope.ts'
import { decodeJson, encodeJson } from '../../src/store/json.ts'
import { slices } from '../support/slices.ts'
import { onBothStores } from './both-stores.ts'
import { newId, type Panel, refusal } from './harness.ts'

const { role, user, reseller, tenant, domain, job, package: packages } = slices
const password = 'a quiet river at night'

/** The user as the panel sees one who is signed in. */
async function actorOf(panel: Panel, ref: string): Promise<Extract<Actor, { kind: 'user' }>> {
  const found = await panel.stores(panel.db).users.credentials(ref)
  if (found === undefined) throw new Error(`no user ${ref}`)
  const { scope, permissions } = found
  return { kind: 'user', id: found.user.id, email: found.user.email, scope, permissions }
}

async function addSeller(panel: Panel, name: string, limits: object = {}) {
  const email = `${name}@seller.example`
  const { id } = await panel.run(reseller.create, { email, password, ...limits })
  return { id, email, actor: await actorOf(panel, email) }
}

/** A reseller with a package and a tenant, whose name is the reseller's own followed by a word. */
async function addShop(panel: Panel, name: string) {
  const seller = await addSeller(panel, name)
  const { id: packageId } = await panel.run(packages.create, { name: 'basic', memMb: 512 }, seller.actor)
  const made = await panel.run(tenant.create, { name: `${name}shop` }, seller.actor)
  const site = await panel.run(domain.create, { tenant: made.id, fqdn: `${name}.example.com` })
  await panel.work()
  const customer = `ann@${name}.example`
  const input = { email: customer, password, role: 'user', tenant: `${name}shop` }
  const { id: userId } = await panel.run(user.create, input, seller.actor)
  return {
    ...seller,
    packageId,
    tenantId: made.id,
    jobId: made.jobId,
    domainId: site.id,
    userId,
    customer,
  }
}

onBothStores('roles', (bench) => {
  const addStaff = async (panel: Panel, email: string, permissions: string[]) => {
    const name = email.replace(/@.*/, '')
    await panel.run(role.create, { name, scope: 'global', permissions })
    await panel.run(user.create, { email, password, role: name })
    return actorOf(panel, email)
  }
  const admin = (panel: Panel, email = 'root@example.org') =>
    panel.run(user.create, { email, password, role: 'system_admin' })

  it('of people allow what they name, from the next look on', async () => {
    const panel = await bench.panel()
    const staff = await addStaff(panel, 'helper@example.org', ['tenant.list', 'job.list'])
    await panel.run(role.update, { role: 'helper', permissions: ['job.list', 'job.get'] })

    expect(staff).toMatchObject({ scope: everything, permissions: new Set(['tenant.list', 'job.list']) })
    expect((await actorOf(panel, 'helper@example.org')).permissions).toEqual(new Set(['job.list', 'job.get']))
  })

  it('add up when a user has several, and all but the last can be taken away', async () => {
    const panel = await bench.panel()
    await addStaff(panel, 'helper@example.org', ['tenant.list'])
    await panel.run(role.create, { name: 'jobs', scope: 'global', permissions: ['job.list'] })
    await panel.run(role.grant, { role: 'jobs', user: 'helper@example.org' })
    const both = (await actorOf(panel, 'helper@example.org')).permissions
    const twice = await refusal(panel.run(role.grant, { role: 'jobs', user: 'helper@example.org' }))
    await panel.run(role.revoke, { role: 'jobs', user: 'helper@example.org' })
    const last = await refusal(panel.run(role.revoke, { role: 'helper', user: 'helper@example.org' }))

    expect(both).toEqual(new Set(['tenant.list', 'job.list']))
    expect(twice.code).toBe('conflict')
    expect(last.message).toMatch(/it is the only one of the user$/)
    expect((await panel.run(user.get, { user: 'helper@example.org' })).roles).toEqual(['helper'])
  })

  it('hold operations only, and those that their scope can have', async () => {
    const panel = await bench.panel()
    const unknown = panel.run(role.create, { name: 'odd', scope: 'global', permissions: ['tenant.eat'] })
    const tooFar = panel.run(role.create, {
      name: 'odd',
      scope: 'local',
      permissions: ['domain.list', 'settings.update'],
    })

    expect(await refusal(unknown)).toMatchObject({ code: 'bad_input', fields: [{ field: 'permissions.0' }] })
    expect(await refusal(tooFar)).toMatchObject({ code: 'bad_input', fields: [{ field: 'permissions.1' }] })
  })

  it('give nobody more than the giver has', async () => {
    const panel = await bench.panel()
    const { id: adminId } = await admin(panel)
    const helper = await addStaff(panel, 'helper@example.org', [
      'tenant.list',
      ...['role.create', 'role.update', 'role.grant', 'role.revoke', 'role.restore', 'role.delete'],
      ...['user.create', 'user.update', 'user.suspend', 'user.unsuspend', 'user.delete', 'user.restore'],
      ...['reseller.create', 'user.get'],
    ])
    await panel.run(role.create, { name: 'strong', scope: 'global', permissions: ['settings.update'] })
    await panel.run(user.create, { email: 'strong@example.org', password, role: 'strong' })
    const as = helper
    const attempts = [
      panel.run(role.create, { name: 'mine', scope: 'global', permissions: ['settings.update'] }, as),
      panel.run(role.update, { role: 'helper', permissions: ['settings.update'] }, as),
      panel.run(role.update, { role: 'strong', permissions: ['tenant.list'] }, as),
      panel.run(role.grant, { role: 'system_admin', user: 'helper@example.org' }, as),
      panel.run(role.grant, { role: 'strong', user: 'helper@example.org' }, as),
      panel.run(role.revoke, { role: 'strong', user: 'strong@example.org' }, as),
      panel.run(role.remove, { role: 'strong' }, as),
      panel.run(user.create, { email: 'new@example.org', password, role: 'system_admin' }, as),
      panel.run(user.update, { user: adminId, password: 'another quiet river' }, as),
      panel.run(user.update, { user: 'strong@example.org', email: 'weak@example.org' }, as),
      panel.run(user.update, { user: 'helper@example.org', role: 'strong' }, as),
      panel.run(user.suspend, { user: adminId }, as),
      panel.run(user.remove, { user: 'strong@example.org' }, as),
      panel.run(reseller.create, { email: 'seller@example.org', password }, as),
    ]

    for (const error of await Promise.all(attempts.map(refusal)))
      expect(error).toMatchObject({ code: 'forbidden', message: expect.stringMatching(/which you do not have$/) })
    expect((await panel.run(role.list, {})).items.map(({ name }) => name)).not.toContain('mine')
  })

  it('of the last administrator stay', async () => {
    const panel = await bench.panel()
    await admin(panel)
    await panel.run(role.create, { name: 'other', scope: 'global', permissions: ['job.list'] })
    await panel.run(role.grant, { role: 'other', user: 'root@example.org' })
    const last = await refusal(panel.run(role.revoke, { role: 'system_admin', user: 'root@example.org' }))
    const moved = await refusal(panel.run(user.update, { user: 'root@example.org', role: 'other' }))
    await admin(panel, 'second@example.org')
    await panel.run(role.revoke, { role: 'system_admin', user: 'root@example.org' })

    for (const error of [last, moved]) expect(error.message).toMatch(/it is the last administrator$/)
    expect((await actorOf(panel, 'root@example.org')).permissions).toEqual(new Set(['job.list']))
  })

  it('fit the place that a person has', async () => {
    const panel = await bench.panel()
    const shop = await addShop(panel, 'acme')
    await panel.run(role.create, { name: 'global', scope: 'global', permissions: ['job.list'] })
    await panel.run(role.create, { name: 'sellers', scope: 'reseller', permissions: ['job.list'] })
    const wrong = [
      panel.run(role.grant, { role: 'global', user: shop.customer }),
      panel.run(role.grant, { role: 'sellers', user: shop.customer }),
      panel.run(role.grant, { role: 'user', user: shop.email }),
      panel.run(user.create, { email: 'x@example.org', password, role: 'sellers' }),
      panel.run(user.create, { email: 'x@example.org', password, role: 'reseller' }),
    ]

    for (const error of await Promise.all(wrong.map(refusal)))
      expect(error).toMatchObject({ code: 'bad_input', fields: [{ field: 'role' }] })
    await panel.run(role.grant, { role: 'sellers', user: shop.email })
  })

  it('of another place count for nothing, however they got into the store', async () => {
    const panel = await bench.panel()
    const shop = await addShop(panel, 'acme')
    const { id: adminRole } = await panel.run(role.get, { role: 'system_admin' })
    await panel.stores(panel.db).roles.grant(adminRole, shop.userId)

    const { permissions, scope } = await actorOf(panel, shop.customer)

    expect(scope).toMatchObject({ kind: 'local' })
    expect(permissions).not.toBe('all')
    expect(permissions).not.toContain('tenant.create')
  })

  it('go to the trash when nobody has them, keep their name there, and come back', async () => {
    const panel = await bench.panel()
    await addStaff(panel, 'helper@example.org', ['tenant.list'])
    const inUse = await refusal(panel.run(role.remove, { role: 'helper' }))
    await panel.run(user.remove, { user: 'helper@example.org' })
    await panel.run(role.remove, { role: 'helper' })
    const taken = await refusal(panel.run(role.create, { name: 'helper', scope: 'local', permissions: ['job.list'] }))
    const gone = await refusal(panel.run(role.update, { role: 'helper', name: 'other' }))
    await panel.run(role.restore, { role: 'helper' })

    expect(inUse.message).toMatch(/1 user has it$/)
    expect(taken).toMatchObject({ code: 'conflict', fields: [{ field: 'name' }] })
    expect(gone.code).toBe('not_found')
    expect((await panel.run(role.get, { role: 'helper' })).permissions).toEqual(['tenant.list'])
  })

  it('in the trash allow nothing', async () => {
    const panel = await bench.panel()
    await addStaff(panel, 'helper@example.org', ['tenant.list'])
    const { id } = await panel.run(role.get, { role: 'helper' })
    await panel.stores(panel.db).roles.setDeleted(id, '2026-03-01T12:00:00.000Z')

    expect(await panel.stores(panel.db).users.credentials('helper@example.org')).toMatchObject({
      maySignIn: false,
      permissions: new Set(),
    })
  })

  it('that come with the product are never changed', async () => {
    const panel = await bench.panel()
    const attempts = ['system_admin', 'reseller', 'user'].flatMap((name) => [
      panel.run(role.update, { role: name, permissions: ['job.list'] }),
      panel.run(role.remove, { role: name }),
    ])

    for (const error of await Promise.all(attempts.map(refusal)))
      expect(error.message).toMatch(/it comes with the product$/)
  })
})

onBothStores('resellers', (bench) => {
  it('find of others nothing at all, in the words for what does not exist', async () => {
    const panel = await bench.panel()
    const mine = await addShop(panel, 'acme')
    const theirs = await addShop(panel, 'other')
    await panel.run(packages.create, { name: 'ours' })
    const { id: ours } = await panel.run(packages.get, { package: 'ours' })
    const as = mine.actor
    const nobody = newId()
    const about = (id: {
      tenant: string
      domain: string
      user: string
      offer: string
      job: string
      seller: string
    }) => [
      panel.run(tenant.get, { tenant: id.tenant }, as),
      panel.run(tenant.update, { tenant: id.tenant, package: 'basic' }, as),
      panel.run(tenant.remove, { tenant: id.tenant }, as),
      panel.run(tenant.restore, { tenant: id.tenant }, as),
      panel.run(domain.get, { domain: id.domain }, as),
      panel.run(domain.list, { tenant: id.tenant }, as),
      panel.run(domain.create, { tenant: id.tenant, fqdn: 'new.example.net' }, as),
      panel.run(domain.remove, { domain: id.domain }, as),
      panel.run(user.get, { user: id.user }, as),
      panel.run(user.update, { user: id.user, password: 'another quiet river' }, as),
      panel.run(user.list, { tenant: id.tenant }, as),
      panel.run(role.grant, { role: 'user', user: id.user }, as),
      panel.run(packages.get, { package: id.offer }, as),
      panel.run(packages.update, { package: id.offer, memMb: 64 }, as),
      panel.run(packages.remove, { package: id.offer }, as),
      panel.run(tenant.list, { package: id.offer }, as),
      panel.run(job.get, { job: id.job }, as),
      panel.run(job.cancel, { job: id.job }, as),
      panel.run(reseller.get, { reseller: id.seller }, as),
      panel.run(tenant.list, { reseller: id.seller }, as),
    ]
    const { tenantId, domainId, userId, packageId, jobId, id } = theirs
    const foreign = { tenant: tenantId, domain: domainId, user: userId, offer: packageId, job: jobId, seller: id }
    const none = { tenant: nobody, domain: nobody, user: nobody, offer: nobody, job: nobody, seller: nobody }

    const words = async (ids: typeof foreign) =>
      (await Promise.all(about(ids).map(refusal))).map(({ code, message, help }) => {
        const all = Object.values(ids).reduce((text, one) => text.replaceAll(one, '?'), message)
        return { code, message: all, help }
      })
    const answers = await words(foreign)

    expect(answers.map(({ code }) => code)).toEqual(answers.map(() => 'not_found'))
    expect(answers).toEqual(await words(none))
    expect((await refusal(panel.run(packages.get, { package: ours }, as))).code).toBe('not_found')
    expect((await refusal(panel.run(tenant.create, { name: 'sneak', package: packageId }, as))).code).toBe('bad_input')
    expect((await refusal(panel.run(tenant.create, { name: 'sneak', reseller: id }, as))).code).toBe('bad_input')
  })

  it('name as owner of a tenant nobody but those whom they see', async () => {
    const panel = await bench.panel()
    const mine = await addShop(panel, 'mine')
    const other = await addShop(panel, 'other')
    await panel.run(user.create, { email: 'staff@example.org', password, role: 'system_admin' })
    const refused = {
      code: 'bad_input',
      fields: [{ field: 'owner', problem: expect.stringContaining('does not exist') }],
    }

    for (const owner of ['staff@example.org', other.customer, other.email, 'nobody@example.org']) {
      const made = panel.run(tenant.create, { name: 'fresh', owner }, mine.actor)
      expect(await refusal(made), owner).toMatchObject(refused)
      const changed = panel.run(tenant.update, { tenant: 'mineshop', owner }, mine.actor)
      expect(await refusal(changed), owner).toMatchObject(refused)
    }
    await panel.run(tenant.update, { tenant: 'mineshop', owner: mine.customer }, mine.actor)
  })

  it('list their own and nothing else', async () => {
    const panel = await bench.panel()
    const mine = await addShop(panel, 'acme')
    await addShop(panel, 'other')
    await panel.run(user.create, { email: 'root@example.org', password, role: 'system_admin' })
    const as = mine.actor

    const seen = {
      tenants: (await panel.run(tenant.list, {}, as)).items.map(({ name }) => name),
      domains: (await panel.run(domain.list, {}, as)).items.map(({ fqdn }) => fqdn),
      packages: (await panel.run(packages.list, {}, as)).items.map(({ id }) => id),
      users: (await panel.run(user.list, {}, as)).items.map(({ email }) => email),
      jobs: (await panel.run(job.list, {}, as)).items.map(({ resourceName }) => resourceName).sort(),
      roles: (await panel.run(role.list, {}, as)).items.map(({ name }) => name),
    }

    expect(seen).toEqual({
      tenants: ['acmeshop'],
      domains: ['acme.example.com'],
      packages: [mine.packageId],
      users: [mine.email, mine.customer],
      jobs: ['acme.example.com', 'acmeshop'],
      roles: ['user'],
    })
  })

  it('name their packages as they like, and nobody makes again what failed for another', async () => {
    const panel = await bench.panel()
    const mine = await addShop(panel, 'acme')
    const theirs = await addShop(panel, 'other')
    await panel.run(tenant.create, { name: 'failing' }, mine.actor)
    await panel.work(() => true)

    const stolen = await refusal(panel.run(tenant.create, { name: 'failing' }, theirs.actor))
    const again = await panel.run(tenant.create, { name: 'failing' }, mine.actor)

    expect(stolen).toMatchObject({ code: 'conflict', fields: [{ field: 'name' }] })
    expect(await panel.run(tenant.get, { tenant: again.id })).toMatchObject({
      resellerId: mine.id,
      packageName: 'basic',
    })
  })

  it('give away so many tenants as they have, also of many requests at once', async () => {
    const panel = await bench.panel()
    const { actor } = await addSeller(panel, 'acme', { maxTenants: 3 })
    await panel.run(packages.create, { name: 'basic' }, actor)

    const names = Array.from({ length: 10 }, (_, place) => `shop${place}`)
    const ends = await Promise.allSettled(names.map((name) => panel.run(tenant.create, { name }, actor)))
    const refused = ends.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))

    expect(refused).toHaveLength(7)
    for (const error of refused) expect(error).toMatchObject({ code: 'limit_reached', details: { limit: 3 } })
    expect((await panel.run(tenant.list, {}, actor)).items).toHaveLength(3)
  })

  describe('give away of each limit', () => {
    const world = async (panel: Panel) => {
      const { actor, id } = await addSeller(panel, 'acme', { memMb: 1000, maxDomains: 20, maxDatabases: 100 })
      await panel.run(packages.create, { name: 'half', memMb: 500, maxDomains: 5, maxDatabases: 4 }, actor)
      await panel.run(packages.create, { name: 'small', memMb: 100, maxDomains: 1, maxDatabases: 0 }, actor)
      return { actor, id }
    }

    it('no more in a package than they have', async () => {
      const panel = await bench.panel()
      const { actor } = await world(panel)
      const attempts = [
        panel.run(packages.create, { name: 'big', memMb: 1001, maxDomains: 1 }, actor),
        panel.run(packages.create, { name: 'free', memMb: 64 }, actor),
        panel.run(packages.update, { package: 'half', memMb: null }, actor),
        panel.run(packages.update, { package: 'half', maxDomains: 21 }, actor),
        panel.run(packages.update, { package: 'half', maxDatabases: null }, actor),
      ]

      expect((await Promise.all(attempts.map(refusal))).map(({ code, fields }) => [code, fields[0]?.field])).toEqual([
        ['limit_reached', 'memMb'],
        ['limit_reached', 'maxDomains'],
        ['limit_reached', 'memMb'],
        ['limit_reached', 'maxDomains'],
        ['limit_reached', 'maxDatabases'],
      ])
    })

    it('no more to all tenants together than they have', async () => {
      const panel = await bench.panel()
      const { actor, id } = await world(panel)
      const create = (name: string, offer: string) => panel.run(tenant.create, { name, package: offer }, actor)
      await create('one', 'half')
      await create('two', 'small')
      await panel.work()
      const over = [
        await refusal(create('three', 'half')),
        await refusal(panel.run(packages.update, { package: 'small', memMb: 501 }, actor)),
        await refusal(panel.run(reseller.update, { reseller: id, memMb: 599 })),
      ]
      await panel.run(reseller.update, { reseller: id, memMb: 1200 })
      await create('three', 'half')

      for (const error of over) expect(error).toMatchObject({ code: 'limit_reached', fields: [{ field: 'memMb' }] })
      expect(await panel.run(reseller.get, { reseller: id }, actor)).toMatchObject({
        memMb: 1200,
        used: { tenants: 3, memMb: 1100, maxDomains: 11, maxDatabases: 8 },
      })
    })

    it('without a limit of what there was not when they came', async () => {
      const panel = await bench.panel()
      const { id } = await world(panel)
      const { limits } = await panel.db
        .selectFrom('resellers')
        .select('limits')
        .where('id', '=', id)
        .executeTakeFirstOrThrow()
      const older = { ...(decodeJson(limits) as Record<string, unknown>), maxDatabases: undefined }
      await panel.db
        .updateTable('resellers')
        .set({ limits: encodeJson(older) })
        .where('id', '=', id)
        .execute()

      expect(await panel.run(reseller.get, { reseller: id })).toMatchObject({ maxDatabases: null, memMb: 1000 })
    })

    it('what the trash held only if it still fits', async () => {
      const panel = await bench.panel()
      const { actor } = await world(panel)
      for (const name of ['one', 'two']) await panel.run(tenant.create, { name, package: 'half' }, actor)
      await panel.work()
      await panel.run(tenant.remove, { tenant: 'two' }, actor)
      await panel.work()
      await panel.run(tenant.create, { name: 'three', package: 'half' }, actor)
      await panel.work()
      const full = await refusal(panel.run(tenant.restore, { tenant: 'two' }, actor))
      await panel.run(tenant.update, { tenant: 'three', package: 'small' }, actor)
      await panel.work(({ type }) => type === 'tenant.limit')
      const reverted = await refusal(panel.run(tenant.restore, { tenant: 'two' }, actor))

      expect([full.code, reverted.code]).toEqual(['limit_reached', 'limit_reached'])
    })
  })

  it('get a tenant from another owner with a package of their own, and back when the job fails', async () => {
    const panel = await bench.panel()
    const mine = await addShop(panel, 'acme')
    await panel.run(packages.create, { name: 'ours' })
    const none = await refusal(
      panel.run(tenant.update, { tenant: 'acmeshop', reseller: null, package: mine.packageId }),
    )
    await panel.run(tenant.update, { tenant: 'acmeshop', reseller: null })
    await panel.work(() => true)
    const reverted = await panel.run(tenant.get, { tenant: 'acmeshop' })
    await panel.run(tenant.update, { tenant: 'acmeshop', reseller: null })
    await panel.work()

    expect(none).toMatchObject({ code: 'bad_input', fields: [{ field: 'package' }] })
    expect(reverted).toMatchObject({ resellerId: mine.id, packageName: 'basic' })
    expect(await panel.run(tenant.get, { tenant: 'acmeshop' })).toMatchObject({ resellerId: null, packageName: 'ours' })
    expect((await refusal(panel.run(tenant.get, { tenant: 'acmeshop' }, mine.actor))).code).toBe('not_found')
  })

  it('go with their person, and only without tenants', async () => {
    const panel = await bench.panel()
    const { id, email, actor } = await addSeller(panel, 'acme')
    await panel.run(packages.create, { name: 'basic' }, actor)
    await panel.run(tenant.create, { name: 'shop' }, actor)
    await panel.work()
    const attempts = [
      panel.run(user.remove, { user: email }),
      panel.run(user.update, { user: email, role: 'system_admin' }),
      panel.run(reseller.remove, { reseller: id }),
    ]
    for (const error of await Promise.all(attempts.map(refusal))) expect(error.code).toBe('conflict')
    await panel.run(packages.create, { name: 'ours' })
    await panel.run(tenant.update, { tenant: 'shop', reseller: null })
    await panel.work()
    await panel.run(reseller.remove, { reseller: id })

    expect(await panel.stores(panel.db).users.credentials(email)).toBeUndefined()
    await panel.run(reseller.restore, { reseller: id })
    expect(await actorOf(panel, email)).toMatchObject({ scope: { kind: 'reseller', reseller: id } })
  })

  it('give customers roles, and neither staff nor themselves more', async () => {
    const panel = await bench.panel()
    const shop = await addShop(panel, 'acme')
    await panel.run(role.create, { name: 'viewer', scope: 'local', permissions: ['domain.list'] })
    await panel.run(role.create, { name: 'staff', scope: 'global', permissions: ['domain.list'] })
    await panel.run(role.create, { name: 'more', scope: 'reseller', permissions: ['domain.list'] })
    await panel.run(role.grant, { role: 'viewer', user: shop.customer }, shop.actor)

    const hidden = ['staff', 'more', 'system_admin'].map((name) =>
      refusal(panel.run(role.grant, { role: name, user: shop.email }, shop.actor)),
    )

    expect((await panel.run(user.get, { user: shop.userId }, shop.actor)).roles).toEqual(['user', 'viewer'])
    for (const error of await Promise.all(hidden)) expect(error.code).toBe('not_found')
  })
})

onBothStores('customers', (bench) => {
  it('see the package that they have, and no other', async () => {
    const panel = await bench.panel()
    const shop = await addShop(panel, 'acme')
    const { id: other } = await panel.run(packages.create, { name: 'secret', memMb: 64 }, shop.actor)
    const as = await actorOf(panel, shop.customer)

    expect((await panel.run(packages.get, { package: shop.packageId }, as)).name).toBe('basic')
    expect((await refusal(panel.run(packages.get, { package: other }, as))).code).toBe('not_found')
    expect((await refusal(panel.run(packages.get, { package: 'secret' }, as))).code).toBe('not_found')
  })
})
