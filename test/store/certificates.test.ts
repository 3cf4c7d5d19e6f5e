/** Certificates in the store: what is due, what a job that fails brings back, and what goes with domain and tenant; on both stores. */
import { setTimeout as pause } from 'node:timers/promises'
import { expect, it } from 'vitest'
import type { Fqdn } from '../../src/contract/values.ts'
import { endingCertificates } from '../../src/resources/certificate/conditions.ts'
import { endTeller } from '../../src/resources/certificate/end-teller.ts'
import { exampleChain } from '../../src/resources/certificate/example-chain.ts'
import * as certificate from '../../src/resources/certificate/operations.ts'
import { slices } from '../support/slices.ts'
import { onBothStores } from './both-stores.ts'
import { type Panel, refusal } from './harness.ts'

const { tenant, domain, package: packages, user, settings } = slices
const silent = { error() {} } as never
const fqdn = 'bakery.example.com'
const directory = 'https://ca.example.com/dir'
const longAgo = '2001-01-01T00:00:00.000Z'
const farAhead = '2998-01-01T00:00:00.000Z'

onBothStores('certificates', (bench) => {
  const store = (panel: Panel) => panel.stores(panel.db).certificates
  const one = (panel: Panel) => panel.run(certificate.get, { siteCertificate: fqdn })
  const isDue = async (panel: Panel) => (await store(panel).due(10, directory)).map((due) => due.fqdn)

  async function bakery(): Promise<Panel> {
    const panel = await bench.panel()
    await panel.run(packages.create, { name: 'basic' })
    await panel.run(tenant.create, { name: 'acme' })
    await panel.work()
    await panel.run(domain.create, { tenant: 'acme', fqdn, php: 'none', aliases: [] })
    await panel.work()
    return panel
  }

  async function withOwn(): Promise<Panel> {
    const panel = await bakery()
    await panel.run(certificate.create, { domain: fqdn })
    await panel.work()
    return panel
  }

  /** As the renewer adopts it. */
  async function adopted(): Promise<Panel> {
    const panel = await bakery()
    const [found] = await store(panel).missing(10)
    expect(found?.fqdn).toBe(fqdn)
    await panel.run(certificate.create, { domain: fqdn })
    await panel.work()
    await store(panel).lookNow((await one(panel)).id)
    return panel
  }

  it('are missing for an active domain, once', async () => {
    const panel = await withOwn()

    expect(await store(panel).missing(10)).toEqual([])
    expect(await isDue(panel)).toEqual([])
  })

  it('are begun by one panel alone, and due again after the pause', async () => {
    const panel = await adopted()
    const [due] = await store(panel).due(10, directory)
    if (due === undefined) throw new Error('none is due')
    const next = { tries: 1, asked: directory, nextTryAt: farAhead }

    expect([await store(panel).begin(due, next), await store(panel).begin(due, next)]).toEqual([true, false])
    expect(await isDue(panel)).toEqual([])
    await store(panel).stands(due.id, { progress: 'address', problem: 'nowhere', nextTryAt: longAgo })
    expect(await isDue(panel)).toEqual([fqdn])
  })

  it('are due at once when another authority was chosen, whatever was waited for, and once', async () => {
    const panel = await adopted()
    const other = 'https://other.example.com/dir'
    const begin = async (asked: string) => {
      const [due] = await store(panel).due(10, asked)
      return due && (await store(panel).begin(due, { tries: due.tries + 1, asked, nextTryAt: farAhead }))
    }
    expect(await begin(directory)).toBe(true)
    expect(await begin(directory)).toBeUndefined()

    expect([await begin(other), await begin(other)]).toEqual([true, undefined])
  })

  it('wait together when an authority says so', async () => {
    const panel = await adopted()

    await store(panel).pauseAll(farAhead)

    expect((await one(panel)).nextTryAt).toBe(farAhead)
    expect(await isDue(panel)).toEqual([])
  })

  it('are asked for as often as the hour allows, however many ask at once', async () => {
    const panel = await adopted()
    const names = ['one.example.net', 'two.example.net', 'three.example.net'] as Fqdn[]
    for (const other of names) {
      await panel.run(domain.create, { tenant: 'acme', fqdn: other, php: 'none', aliases: [] })
      await panel.work()
      await panel.run(certificate.create, { domain: other })
      await panel.work()
    }
    const ids = await Promise.all([fqdn, ...names].map(async (name) => (await store(panel).get(name)).id))
    const ask = (since: string) =>
      Promise.all(
        ids.map((id) =>
          panel.db.transaction().execute(async (tx) => {
            const may = await panel.stores(tx).certificates.ordered(id, { since, most: 2 })
            await pause(30) // the others are at it before this one is written
            return may
          }),
        ),
      )

    expect((await ask(longAgo)).filter((may) => may)).toHaveLength(2)
    expect(await ask(longAgo)).not.toContain(true)
    expect(await ask(farAhead)).not.toContain(false)
  })

  it('are brought, told, and back as they were when the machine refuses', async () => {
    const panel = await withOwn()
    await panel.run(certificate.upload, { siteCertificate: fqdn, chain: exampleChain })
    await panel.work()
    const before = await one(panel)
    expect(before).toMatchObject({ status: 'active', source: 'own', progress: 'served', chain: exampleChain })
    expect(before.names).toEqual([fqdn, `www.${fqdn}`])

    await store(panel).lookNow(before.id)
    await panel.run(certificate.upload, { siteCertificate: fqdn, chain: exampleChain })
    await panel.work(() => true)

    expect(await one(panel)).toMatchObject({ status: 'active', source: 'acme', chain: exampleChain })
  })

  it('are refused where they do not name the domain', async () => {
    const panel = await withOwn()
    await panel.run(domain.update, { domain: fqdn, aliases: ['other.example.com'] })
    await panel.work()

    expect(await refusal(panel.run(certificate.upload, { siteCertificate: fqdn, chain: exampleChain }))).toMatchObject({
      code: 'bad_input',
      fields: [{ field: 'chain', problem: 'it does not name other.example.com' }],
    })
  })

  it('follow their domain and their tenant into the trash, and back', async () => {
    const panel = await adopted()
    for (const [gone, back] of [
      [() => panel.run(domain.remove, { domain: fqdn }), () => panel.run(domain.restore, { domain: fqdn })],
      [() => panel.run(tenant.remove, { tenant: 'acme' }), () => panel.run(tenant.restore, { tenant: 'acme' })],
    ] as const) {
      await gone()
      await panel.work()
      expect(await isDue(panel)).toEqual([])
      expect(await refusal(one(panel))).toMatchObject({ code: 'not_found' })

      await back()
      await panel.work()
      expect(await one(panel)).toMatchObject({ status: 'active' })
      expect(await isDue(panel)).toEqual([fqdn])
    }
  })

  it('are told of while they end, the sooner the graver', async () => {
    const panel = await withOwn()
    await panel.run(certificate.upload, { siteCertificate: fqdn, chain: exampleChain })
    await panel.work()
    const { notAfter } = await one(panel)
    const end = Date.parse(String(notAfter))
    const at = async (days: number) => {
      const now = new Date(end - days * 86_400_000).toISOString()
      const found = await endingCertificates.find({ stores: panel.stores(panel.db), now } as never)
      return found?.map(({ severity, title }) => `${severity}: ${title.replace(/, at .*/, '')}`).join()
    }

    const what = `The certificate of ${fqdn}`
    expect(await Promise.all([15, 13, 8, 7, 3, 2, 1, -1].map(at))).toEqual([
      '',
      `warning: ${what} ends within 14 days`,
      `warning: ${what} ends within 14 days`,
      `warning: ${what} ends within 7 days`,
      `critical: ${what} ends within 3 days`,
      `critical: ${what} ends within 3 days`,
      `critical: ${what} ends within a day`,
      `critical: ${what} has ended`,
    ])
  })

  it('are told to the people of their tenant before they end, once for each of the days', async () => {
    const panel = await withOwn()
    const password = 'correct horse battery'
    await panel.run(tenant.create, { name: 'other' })
    for (const [email, of] of [
      ['baker@example.com', 'acme'],
      ['away@example.com', 'acme'],
      ['other@example.com', 'other'],
    ] as const)
      await panel.run(user.create, { email, password, role: 'user', tenant: of })
    await panel.run(user.suspend, { user: 'away@example.com', reason: 'other' })
    await panel.run(certificate.upload, { siteCertificate: fqdn, chain: exampleChain })
    await panel.work()
    const end = Date.parse(String((await one(panel)).notAfter))
    let daysLeft = 15
    let canMail = true
    const teller = () =>
      endTeller({
        ...{ db: panel.db, storesOf: panel.stores, canMail: () => canMail, log: silent },
        now: () => end - daysLeft * 86_400_000,
      })
    const mails = async () => (await panel.stores(panel.db).mails.due(50)).filter(({ kind }) => kind === 'certificates')
    const told = async (days: number) => {
      daysLeft = days
      await Promise.all([teller().wake(), teller().wake()]) // two panels
      const queued = await mails()
      for (const { id } of queued) await panel.stores(panel.db).mails.drop(id)
      return queued.map(({ to, lines }) => `${to}: ${lines.join()}`)
    }

    canMail = false
    expect(await told(13)).toEqual([])
    canMail = true
    await panel.run(settings.update, { key: 'certificates.mail_customers', value: false })
    expect(await told(13)).toEqual([])
    await panel.run(settings.update, { key: 'certificates.mail_customers', value: true })

    const day = new Date(end).toISOString().slice(0, 10)
    const mail = (when: string) => [`baker@example.com: ${fqdn}: it ${when}, on ${day}`]
    expect(await told(15)).toEqual([])
    expect(await told(13)).toEqual(mail('ends within 14 days'))
    expect(await told(8)).toEqual([])
    expect(await told(2)).toEqual(mail('ends within 3 days'))
    expect(await told(2.5)).toEqual([])
    expect(await told(6)).toEqual([])
    expect(await told(0.5)).toEqual(mail('ends within a day'))
    expect(await told(-1)).toEqual(mail('has ended'))
    expect(await told(-9)).toEqual([])

    panel.clock.now = end - 20 * 86_400_000
    await panel.run(certificate.upload, { siteCertificate: fqdn, chain: exampleChain })
    await panel.work()
    expect(await told(13)).toEqual(mail('ends within 14 days'))
  })
})
