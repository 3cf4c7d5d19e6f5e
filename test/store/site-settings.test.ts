/** What is chosen for a site, in the store, on both stores. */
import { expect, it } from 'vitest'
import { siteVerifier } from '../../src/lib/site-password.ts'
import { addUser, removeUser } from '../../src/resources/domain/user-operations.ts'
import { slices } from '../support/slices.ts'
import { onBothStores } from './both-stores.ts'
import type { Panel } from './harness.ts'

const { tenant, domain, package: packages } = slices
const fqdn = 'bakery.example.com'
const alias = 'www.bakery.example.com'

onBothStores('settings of a site', (bench) => {
  async function bakery(): Promise<Panel> {
    const panel = await bench.panel()
    await panel.run(packages.create, { name: 'basic' })
    await panel.run(tenant.create, { name: 'acme' })
    await panel.work()
    await panel.run(domain.create, { tenant: 'acme', fqdn, php: 'none', aliases: [alias] })
    await panel.work()
    return panel
  }

  const settings = async (panel: Panel) => {
    const found = await panel.run(domain.get, { domain: fqdn })
    const { documentRoot, frontController, canonicalName, redirects, maintenance, https } = found
    const { closedDirectories, noPhpDirectories, notFoundPage, staticCache, headers } = found
    const { protectedDirectories, siteUsers, addressRules, addressDirectories } = found
    const { listedDirectories, hotlinkProtection, hotlinkHosts, largestBodyMb } = found
    const { requestsPerSecond, requestsAtOnce } = found
    return {
      ...{ documentRoot, frontController, canonicalName, redirects, maintenance, https },
      ...{ closedDirectories, noPhpDirectories, notFoundPage, staticCache, headers },
      ...{ protectedDirectories, siteUsers, addressRules, addressDirectories },
      ...{ listedDirectories, hotlinkProtection, hotlinkHosts, largestBodyMb, requestsPerSecond, requestsAtOnce },
    }
  }
  const choose = async (panel: Panel, wish: object, fails = false) => {
    const answer = await panel.run(domain.update, { domain: fqdn, ...wish } as never)
    await panel.work(() => fails)
    return answer
  }
  const nothing = {
    documentRoot: null,
    frontController: null,
    canonicalName: null,
    redirects: [],
    maintenance: false,
    https: 'redirect',
    closedDirectories: [],
    noPhpDirectories: [],
    protectedDirectories: [],
    siteUsers: [],
    addressRules: [],
    addressDirectories: [],
    listedDirectories: [],
    hotlinkProtection: false,
    hotlinkHosts: [],
    largestBodyMb: null,
    requestsPerSecond: null,
    requestsAtOnce: null,
    notFoundPage: null,
    staticCache: null,
    headers: [],
  }

  it('change one by one, and others stay', async () => {
    const panel = await bakery()
    expect(await settings(panel)).toEqual(nothing)

    await choose(panel, { documentRoot: 'public', redirects: ['/old /new'] })
    await choose(panel, { https: 'optional' })
    await choose(panel, { maintenance: true, canonicalName: alias, closedDirectories: ['/data'], staticCache: 'day' })
    await choose(panel, { addressRules: ['deny 10.0.0.0/8'], addressDirectories: ['/admin'] })
    await choose(panel, { headers: ['X-Frame-Options: DENY'], notFoundPage: '/404.html', noPhpDirectories: ['/up'] })
    const all = {
      ...nothing,
      ...{ documentRoot: 'public', redirects: ['/old /new 302'], https: 'optional' },
      ...{ maintenance: true, canonicalName: alias, closedDirectories: ['/data'], staticCache: 'day' },
      ...{ addressRules: ['deny 10.0.0.0/8'], addressDirectories: ['/admin'] },
      ...{ headers: ['x-frame-options: DENY'], notFoundPage: '/404.html', noPhpDirectories: ['/up'] },
    }
    expect(await settings(panel)).toEqual(all)
    expect((await panel.run(domain.get, { domain: fqdn })).directory).toMatch(/\/public\/public$/)

    expect(await choose(panel, { documentRoot: 'public', maintenance: true })).toMatchObject({ jobId: null })
    await choose(panel, { documentRoot: null, redirects: [], maintenance: false, canonicalName: null })
    await choose(panel, { closedDirectories: [], staticCache: null, headers: [] })
    await choose(panel, { notFoundPage: null, noPhpDirectories: [], addressRules: [], addressDirectories: [] })
    expect(await settings(panel)).toEqual({ ...nothing, https: 'optional' })
  })

  it('are again what they were when the machine cannot change them, and outlive the trash', async () => {
    const panel = await bakery()
    await choose(panel, { frontController: 'off' })
    await choose(panel, { frontController: '/index.php', documentRoot: 'web' }, true)
    expect(await settings(panel)).toEqual({ ...nothing, frontController: 'off' })

    await panel.run(domain.remove, { domain: fqdn })
    await panel.work()
    await panel.run(domain.restore, { domain: fqdn })
    await panel.work()
    expect(await settings(panel)).toEqual({ ...nothing, frontController: 'off' })
  })

  it('let users in by a password that is shown once, and never again', async () => {
    const panel = await bakery()
    const job = (result: { jobId: string | null }) => expect(result.jobId).toEqual(expect.any(String))
    const answer = await panel.run(addUser, { domain: fqdn, name: 'alice' })
    job(answer)
    await panel.work()
    await choose(panel, { protectedDirectories: ['/', '/intern'], documentRoot: 'web' })
    await panel.run(addUser, { domain: fqdn, name: 'Bob' })
    await panel.work()
    const all = { ...nothing, documentRoot: 'web', protectedDirectories: ['/', '/intern'], siteUsers: ['alice', 'Bob'] }
    expect(await settings(panel)).toEqual(all)
    const again = await panel.run(addUser, { domain: fqdn, name: 'alice' })
    await panel.work(() => true)
    await panel.run(addUser, { domain: fqdn, name: 'alice' })
    await panel.work()

    expect(await settings(panel)).toEqual(all)
    expect(again.password).not.toBe(answer.password)
    const rows = await panel.db.selectFrom('domains').selectAll().execute()
    const jobs = await panel.db.selectFrom('jobs').selectAll().execute()
    for (const { password } of [answer, again]) expect(JSON.stringify([rows, jobs])).not.toContain(password)
    expect(JSON.stringify(rows)).toContain('{SSHA}')

    job(await panel.run(removeUser, { domain: fqdn, name: 'alice' }))
    await panel.work()
    expect(await panel.run(removeUser, { domain: fqdn, name: 'alice' })).toMatchObject({ jobId: null })
    job(await panel.run(removeUser, { domain: fqdn, name: 'Bob' }))
    await panel.work()
    expect(await settings(panel)).toEqual({ ...all, siteUsers: [] })
  })

  it('bound what visitors do, each by its field', async () => {
    const panel = await bakery()
    const bounds = {
      ...{ listedDirectories: ['/files'], hotlinkProtection: true, hotlinkHosts: ['partner.example.net'] },
      ...{ largestBodyMb: '8', requestsPerSecond: '20', requestsAtOnce: '16' },
    }
    for (const [field, value] of Object.entries(bounds)) await choose(panel, { [field]: value })
    expect(await settings(panel)).toEqual({ ...nothing, ...bounds })
    expect(await choose(panel, bounds)).toMatchObject({ jobId: null })

    const none = { listedDirectories: [], hotlinkProtection: false, hotlinkHosts: [] }
    await choose(panel, { ...none, largestBodyMb: null, requestsPerSecond: null, requestsAtOnce: null })
    expect(await settings(panel)).toEqual(nothing)
    for (const [field, value] of [
      ['requestsPerSecond', '0'],
      ['requestsPerSecond', 0],
      ['largestBodyMb', '2'],
      ['hotlinkHosts', ['$host']],
    ] as const)
      await expect(choose(panel, { [field]: value })).rejects.toMatchObject({
        issues: [expect.objectContaining({ path: expect.arrayContaining([field]) })],
      })
  })

  it('take so many users, and no more', async () => {
    const panel = await bakery()
    const { id } = await panel.run(domain.get, { domain: fqdn })
    const users = Array.from({ length: 50 }, (_, n) => ({ name: `u${n}`, verifier: siteVerifier('x') }))
    await panel.db
      .updateTable('domains')
      .set({ settings: JSON.stringify({ https: 'redirect', site: { users } }) })
      .where('id', '=', id)
      .execute()

    await expect(panel.run(addUser, { domain: fqdn, name: 'more' })).rejects.toMatchObject({ code: 'conflict' })
    expect(await panel.run(addUser, { domain: fqdn, name: 'u7' })).toHaveProperty('password')
  })

  it('keep the main name among the names', async () => {
    const panel = await bakery()
    await choose(panel, { canonicalName: alias })

    const refused = { code: 'bad_input', fields: [expect.objectContaining({ field: 'canonicalName' })] }
    await expect(choose(panel, { aliases: [] })).rejects.toMatchObject(refused)
    await expect(choose(panel, { canonicalName: 'other.example.org' })).rejects.toMatchObject(refused)
    await choose(panel, { aliases: [], canonicalName: null })
    expect((await settings(panel)).canonicalName).toBeNull()
  })

  it('refuse redirects in a circle by their field', async () => {
    const panel = await bakery()
    const wish = { redirects: ['/a /b', '/b https://www.bakery.example.com/a'] }

    await expect(choose(panel, wish)).rejects.toMatchObject({
      code: 'bad_input',
      fields: [expect.objectContaining({ field: 'redirects', problem: expect.stringContaining('/a') })],
    })
  })
})
