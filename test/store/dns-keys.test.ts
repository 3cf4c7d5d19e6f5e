/** Whose keys for the DNS are seen and used by whom, and what is kept of their secrets. */
import { describe, expect, it } from 'vitest'
import * as dnsKey from '../../src/resources/dns-key/operations.ts'
import { keyFor } from '../../src/resources/dns-key/proofs.ts'
import { slices } from '../support/slices.ts'
import { onBothStores } from './both-stores.ts'
import { newId, type Panel, refusal } from './harness.ts'
import { hosted } from './levels.ts'

const secret = Buffer.alloc(32, 7).toString('base64')
const given = { keyName: 'Wcp360.Example.com.', secret, zones: ['example.com'], servers: ['9.9.9.9'] }

const { tenant, package: packages } = slices

/** A customer of a reseller, and another one of nobody. */
async function threeLevels(panel: Panel) {
  const { people } = await hosted(panel)
  await panel.run(packages.create, { name: 'ours' })
  const { id: otherTenantId } = await panel.run(tenant.create, { name: 'other', package: 'ours' })
  const { id: tenantId } = await panel.run(tenant.get, { tenant: 'acme' })
  return { ...people, tenantId, otherTenantId }
}

onBothStores('keys for the DNS', (bench) => {
  const rows = (panel: Panel) => panel.db.selectFrom('dns_keys').selectAll().execute()

  it('are seen by who brought them and by those above, without their secret', async () => {
    const panel = await bench.panel()
    const { customer, reseller, staff } = await threeLevels(panel)
    const { id: own } = await panel.run(dnsKey.create, given, customer)
    const { id: sold } = await panel.run(dnsKey.create, given, reseller)
    const { id: all } = await panel.run(dnsKey.create, given, staff)
    const seen = async (actor: typeof staff) => (await panel.run(dnsKey.list, {}, actor)).items.map(({ id }) => id)

    expect(await seen(customer)).toEqual([own])
    expect((await seen(reseller)).toSorted()).toEqual([own, sold].toSorted())
    expect((await seen(staff)).toSorted()).toEqual([own, sold, all].toSorted())
    for (const run of [dnsKey.get, dnsKey.test, dnsKey.remove])
      expect(await refusal(panel.run(run as typeof dnsKey.test, { dnsKey: all }, customer))).toMatchObject({
        code: 'not_found',
      })
    const told = JSON.stringify(await panel.run(dnsKey.get, { dnsKey: own }, customer))
    const trail = await panel.stores(panel.db).audit.list({ limit: 50 })
    for (const text of [told, JSON.stringify(trail), JSON.stringify(await rows(panel))])
      expect(text).not.toContain(secret)
    expect(await panel.run(dnsKey.get, { dnsKey: own }, customer)).toMatchObject({ keyName: 'wcp360.example.com' })
  })

  it('are used for the domains of their owner, the nearest first', async () => {
    const panel = await bench.panel()
    const { customer, reseller, staff, tenantId, otherTenantId } = await threeLevels(panel)
    const { id: all } = await panel.run(dnsKey.create, { ...given, zones: ['deep.example.com', 'example.net'] }, staff)
    const { id: sold } = await panel.run(dnsKey.create, given, reseller)
    const { id: own } = await panel.run(dnsKey.create, { ...given, zones: ['example.com', 'a.example.com'] }, customer)
    const { dnsKeys } = panel.stores(panel.db)

    const keys = await dnsKeys.ofTenant(tenantId)
    const others = await dnsKeys.ofTenant(otherTenantId)

    expect(keys.map(({ id }) => id)).toEqual([own, sold, all])
    expect(keys[0]?.tsig()).toEqual({
      name: 'wcp360.example.com',
      algorithm: 'hmac-sha256',
      secret: Buffer.alloc(32, 7),
    })
    expect(keys.map(({ isOfStaff }) => isOfStaff)).toEqual([false, false, true])
    expect(others.map(({ id }) => id)).toEqual([all])
    expect(keyFor(keys, 'x.a.example.com')).toMatchObject({ key: { id: own }, zone: 'a.example.com' })
    expect(keyFor(keys, 'deep.example.com')).toMatchObject({ key: { id: own }, zone: 'example.com' })
    expect(keyFor(keys, 'www.example.net')).toMatchObject({ key: { id: all }, zone: 'example.net' })
    expect(keyFor(keys, 'notexample.com')).toBeUndefined()
  })

  it('go with what was set by them, and with their tenant', async () => {
    const panel = await bench.panel()
    const { customer, staff, tenantId } = await threeLevels(panel)
    const { id } = await panel.run(dnsKey.create, given, customer)
    const { id: other } = await panel.run(dnsKey.create, { ...given, tenant: 'acme' }, staff)
    const { dnsKeys } = panel.stores(panel.db)
    const record = { zone: 'example.com', name: '_acme-challenge.example.com', text: 'text' }
    const removeAt = '2020-01-01T00:00:00.000Z'
    await dnsKeys.addRecord({ ...record, id: newId(), keyId: id, removeAt })
    expect(await dnsKeys.dueRecords(5)).toMatchObject([{ ...record, tries: 0, key: { id } }])

    await panel.run(dnsKey.remove, { dnsKey: id }, customer)

    expect(await dnsKeys.dueRecords(5)).toEqual([])
    expect((await rows(panel)).map((row) => row.id)).toEqual([other])
    await panel.db.deleteFrom('tenants').where('id', '=', tenantId).execute()
    expect(await rows(panel)).toEqual([])
  })

  describe('are refused', () => {
    it.each([
      [{ servers: ['10.0.0.1'] }, 'servers'],
      [{ servers: ['9.9.9.9:25'] }, 'servers'],
      [{ servers: ['9.9.9.9', '[::1]'] }, 'servers'],
    ])('with %j, but for staff', async (over, field) => {
      const panel = await bench.panel()
      const { customer, reseller, staff } = await threeLevels(panel)
      for (const actor of [customer, reseller]) {
        const error = await refusal(panel.run(dnsKey.create, { ...given, ...over }, actor))
        expect(error).toMatchObject({ code: 'bad_input', fields: [{ field }] })
      }
      expect(await panel.run(dnsKey.create, { ...given, ...over }, staff)).toHaveProperty('id')
    })

    it('when there are too many', async () => {
      const panel = await bench.panel()
      const { customer, staff } = await threeLevels(panel)
      for (let times = 0; times < 50; times++) await panel.run(dnsKey.create, given, customer)

      expect(await refusal(panel.run(dnsKey.create, given, customer))).toMatchObject({ code: 'limit_reached' })
      expect(await panel.run(dnsKey.create, given, staff)).toHaveProperty('id')
    })
  })
})

describe('what is handed over as a key', () => {
  const parse = (over: object) => dnsKey.create.input.safeParse({ ...given, ...over }).error?.issues[0]?.path

  it.each([
    ['keyName', ''],
    ['keyName', 'a..b'],
    ['keyName', 'a b'],
    ['keyName', `${'a'.repeat(64)}.example`],
    ['secret', 'c2hvcnQ='],
    ['secret', 'not base64 at all!'],
    ['algorithm', 'hmac-md5'],
    ['zones', []],
    ['zones', ['com']],
    ['servers', []],
    ['servers', ['ns1.example.com']],
    ['servers', ['1.2.3.4:0']],
  ])('is refused for %s %j', (field, value) => {
    expect(parse({ [field]: value })?.[0]).toBe(field)
  })

  it('may end in a dot, be in capitals, and have a port', () => {
    expect(parse({ keyName: 'KEY_1.', servers: ['[2001:db8::1]:5353', '2001:db8::1', '1.2.3.4:5'] })).toBeUndefined()
  })
})
