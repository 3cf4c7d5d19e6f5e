/** Proofs of ownership from a real name server: what each answer of the DNS is told as, and a site that is served after its proof. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { asset } from '../../src/program/assets.ts'
import { Domain, DomainProof } from '../../src/resources/domain/schema.ts'
import { lookUpTxt } from '../../src/resources/domain/txt-lookup.ts'
import { NameServer } from '../support/name-server.ts'
import { fetchPage, signInByForm, tokenOf } from '../support/pages.ts'
import { Product } from '../support/product.ts'
import { hosting, nameServer, root } from '../support/requirements.ts'

const main = join(import.meta.dirname, '../../src/main.ts')
const zone = 'example.org'
const brokenZone = 'broken.example.net'

describe.skipIf(nameServer() ?? root())('a look at the DNS', () => {
  let dns: NameServer
  const look = (name: string) => lookUpTxt(name, { servers: [dns.address] })

  beforeAll(async () => {
    dns = await NameServer.start([zone], [brokenZone])
    await dns.set(zone, ['one TXT "first" " second"', 'one TXT "another"', 'two A 127.0.0.1', 'led CNAME one'])
  })

  afterAll(() => dns?.stop())

  it('finds all records of a name, each as one text, also behind an alias', async () => {
    const both = { kind: 'records', values: expect.arrayContaining(['first second', 'another']) }

    expect(await look(`one.${zone}`)).toEqual(both)
    expect(await look(`led.${zone}`)).toEqual(both)
  })

  it('tells what is not there from what cannot be known', async () => {
    expect(await look(`none.${zone}`)).toMatchObject({ kind: 'absent', why: expect.stringContaining('NXDOMAIN') })
    expect(await look(`two.${zone}`)).toMatchObject({ kind: 'absent', why: expect.stringContaining('no TXT') })
    expect(await look(`a.${brokenZone}`)).toEqual({ kind: 'server_failure', why: 'SERVFAIL' })
    expect(await look('not.ours.example')).toEqual({ kind: 'server_failure', why: 'REFUSED' })
  })

  it('ends when no server answers, and at once when it is called off', async () => {
    const silent = createSocket('udp4').bind(0, '127.0.0.1')
    await once(silent, 'listening')
    const servers = [`127.0.0.1:${silent.address().port}`]

    const tired = await lookUpTxt(`one.${zone}`, { servers, tryMs: 100 })
    const bounded = await lookUpTxt(`one.${zone}`, { servers, tryMs: 600_000, totalMs: 100 })
    const signal = AbortSignal.timeout(100)
    const calledOff = await lookUpTxt(`one.${zone}`, { servers, tryMs: 600_000, totalMs: 600_000, signal })
    silent.close()

    expect([tired.kind, bounded.kind, calledOff.kind]).toEqual(Array(3).fill('no_answer'))
    expect(await lookUpTxt(`one.${zone}`, { servers })).toMatchObject({ kind: 'no_answer' })
  })
})

describe.skipIf(hosting() ?? nameServer())('a customer’s domain', () => {
  let dns: NameServer
  let product: Product
  let cookie: string

  const names = { right: `right.${zone}`, wrong: `wrong.${zone}`, bare: `bare.${zone}`, broken: `shop.${brokenZone}` }
  const ids = new Map<string, string>()

  /** As the customer does, by the form. @returns the record that the page of the domain asks for */
  const make = async (fqdn: string) => {
    const { panel: port } = product.ports
    const form = await fetchPage(port, '/do/domain.create?tenant=acme', { cookie })
    const fields = { _csrf: tokenOf(form), tenant: 'acme', fqdn, php: 'none', aliases: '', _do: 'run' }
    const made = await fetchPage(port, '/do/domain.create', { cookie, fields })
    expect(made.status, made.body).toBe(303)
    const page = String(made.headers.location)
    expect(page).toMatch(/^\/domains\//)
    ids.set(fqdn, page.slice(page.lastIndexOf('/') + 1))
    const { body } = await fetchPage(port, page, { cookie })
    const record = await recordOf(fqdn)
    expect(body).toContain(`<code>${record.name}</code>`)
    expect(body).toContain(`<code>${record.value}</code>`)
    return record
  }
  const get = async (fqdn: string) => Domain.parse(await product.call('GET', `/domains/${ids.get(fqdn)}`))
  const proofOf = async (fqdn: string) => {
    const { items } = z
      .object({ items: z.array(DomainProof) })
      .parse(await product.call('GET', `/domains/${ids.get(fqdn)}/proofs`))
    return items[0]
  }
  const recordOf = async (fqdn: string) => {
    const { recordName: name = '', recordValue: value = '' } = (await proofOf(fqdn)) ?? {}
    return { name, value }
  }
  const looked = async (fqdn: string) => {
    await product.until(`the DNS was asked for ${fqdn}`, async () => ((await proofOf(fqdn))?.tries.length ?? 0) > 0)
    return (await proofOf(fqdn))?.tries[0]
  }

  beforeAll(async () => {
    asset('styles.css') // compiled now: the panel's account may not write into the checkout
    dns = await NameServer.start([zone], [brokenZone])
    product = await Product.serving({
      command: [process.execPath, main],
      config: `dns_servers: ${dns.address}\n`,
    })
    const password = 'correct horse battery'
    await product.call('POST', '/users', { email: 'admin@example.com', password, role: 'system_admin' })
    await product.call('POST', '/packages', { name: 'basic' })
    await product.call('POST', '/tenants', { name: 'acme' })
    await product.call('POST', '/users', { email: 'ann@example.com', password, role: 'user', tenant: 'acme' })
    cookie = (await signInByForm(product.ports.panel, { email: 'ann@example.com', password })) ?? ''
    expect(cookie).not.toBe('')
  })

  afterAll(async () => {
    await product?.dispose()
    await dns?.stop()
  })

  it('is not served before its proof, and each answer of the DNS is told as what it is', async () => {
    const wrong = await make(names.wrong)
    await dns.set(zone, [
      `${wrong.name}. TXT "wcp360-proof=of-somebody-else"`,
      `_wcp360-challenge.${names.bare}. A 127.0.0.1`,
    ])
    for (const name of [names.right, names.bare, names.broken]) await make(name)

    expect(await looked(names.right)).toMatchObject({ outcome: 'absent', detail: expect.stringContaining('NXDOMAIN') })
    expect(await looked(names.bare)).toMatchObject({ outcome: 'absent', detail: expect.stringContaining('no TXT') })
    expect(await looked(names.broken)).toMatchObject({ outcome: 'server_failure', detail: 'SERVFAIL' })
    expect(['absent', 'other_value']).toContain((await looked(names.wrong))?.outcome)
    expect((await get(names.right)).status).toBe('unverified')
    expect(await product.visit(names.right)).toBe(await product.visit('unknown.example'))
  })

  it('goes on being looked for after everything was started anew', async () => {
    const before = (await proofOf(names.right))?.tries

    await product.restart()

    expect((await proofOf(names.right))?.tries.slice(-1)).toEqual(before?.slice(-1))
  })

  it('is served when the record is there and somebody asks to check', async () => {
    const [record, other] = [await recordOf(names.right), await recordOf(names.wrong)]
    await dns.set(zone, [
      `${record.name}. TXT "v=unrelated"`,
      `${record.name}. TXT "${record.value}"`,
      `${other.name}. TXT "${record.value}"`,
    ])

    await product.call('POST', `/domains/${ids.get(names.right)}/verify`)
    await product.call('POST', `/domains/${ids.get(names.wrong)}/verify`)
    await product.until('the site is there', async () => (await get(names.right)).status === 'active')
    await product.until('the other was looked for', async () => (await looked(names.wrong))?.outcome === 'other_value')

    expect(await product.visit(names.right)).toBe(200)
    expect(await product.visit(names.wrong)).toBe(await product.visit('unknown.example'))
    expect((await looked(names.wrong))?.detail).toContain('wcp360-proof=')
    expect(product.output).toContain('"a domain is proven"')
    const trail = z
      .object({ items: z.array(z.object({ actor: z.string(), metadata: z.unknown() })) })
      .parse(await product.call('GET', '/audit?action=domain.verify&actor=panel'))
    expect(trail.items).toMatchObject([{ metadata: { name: names.right } }])
  })
})
