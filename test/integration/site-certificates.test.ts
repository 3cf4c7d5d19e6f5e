/** Certificates from a real authority: got by themselves, renewed, and kept through everything that goes wrong. */
import { createPrivateKey, randomBytes, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { chownSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'node:tls'
import Sqlite from 'better-sqlite3'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { rescueCaller } from '../../src/cli/emergency/call-rescue.ts'
import { asset } from '../../src/program/assets.ts'
import { Certificate } from '../../src/resources/certificate/schema.ts'
import { Authority } from '../support/authority.ts'
import { freePorts } from '../support/free-ports.ts'
import { NameServer } from '../support/name-server.ts'
import { Pebble } from '../support/pebble.ts'
import { Product } from '../support/product.ts'
import { hosting, nameServer, authority as pebbleIsMissing } from '../support/requirements.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const main = join(import.meta.dirname, '../../src/main.ts')
const shop = 'shop.example.org'
const big = 'big.example.org'
const mall = 'mall.example.org'
const records = [
  'ns A 127.0.0.1',
  'shop.example A 127.0.0.1',
  'www.shop.example A 127.0.0.1',
  'big.example A 127.0.0.1',
]
const hour = 3_600_000

describe.skipIf(hosting() ?? nameServer() ?? pebbleIsMissing())('the certificate of a domain', () => {
  let dns: NameServer
  let pebble: Pebble
  let product: Product

  const get = async (name = shop) => Certificate.parse(await product.call('GET', `/certificates/${name}`))
  const lookNow = (name = shop) => product.call('POST', `/certificates/${name}/renew`)
  const untilIs = async (what: string, isSo: (one: Certificate) => boolean, name = shop) => {
    await product.until(what, () => get(name).then(isSo, () => false))
    return await get(name)
  }
  const served = (name: string) => servedBy(product.ports.https, name)
  /** As if its pause were over. */
  const passPauses = () => {
    const store = new Sqlite(join(product.places.panelState, 'state.db'), { timeout: 10_000 })
    store
      .prepare("update certificates set next_try_at = '2020-01-01T00:00:00.000Z' where next_try_at is not null")
      .run()
    store.close()
  }
  /** The authority would like all of its certificates to be renewed at once. */
  const renewNow = () => {
    const window = { start: new Date(Date.now() - 2 * hour), end: new Date(Date.now() - hour) }
    pebble.mood = ({ path }) => (path.startsWith('/ari/') ? json({ suggestedWindow: window }) : undefined)
  }
  /** Pebble of this version has no renewal information of its own. */
  const ownDirectory = (body: string) =>
    JSON.stringify({
      ...JSON.parse(body),
      renewalInfo: pebble.directory.replace('/dir', '/ari'),
      meta: { caaIdentities: ['ca.example'] },
    })

  beforeAll(async () => {
    asset('styles.css') // compiled now: the panel's account may not write into the checkout
    dns = await NameServer.start(['org'])
    product = await Product.make({ command: [process.execPath, main] })
    const { panel: port, http: proxyPort } = await freePorts()
    pebble = await Pebble.start({
      port,
      proxyPort,
      directory: ownDirectory,
      httpPort: product.ports.http,
      dns: dns.address,
    })
    product.configure(`dns_servers: ${dns.address}\nacme_ca_file: ${pebble.caFile}\n`)
    await product.start()
    await product.stop()
    product.closeSetup()
    await product.start()
    await product.call('POST', '/packages', { name: 'basic' })
    await product.call('POST', '/tenants', { name: 'acme' })
    await product.call('PATCH', '/settings/certificates.addresses', { value: '127.0.0.1' })
    await product.call('PATCH', '/settings/certificates.authority', { value: pebble.directory })
  })

  afterEach(() => pebble?.forget())
  afterAll(async () => {
    await product?.dispose()
    await pebble?.stop()
    await dns?.stop()
  })

  it('is not asked for before the DNS leads here, which is said with the record to set', async () => {
    await product.call('POST', '/domains', { tenant: 'acme', fqdn: shop, php: 'none' })

    const one = await untilIs('the DNS was asked', ({ problem }) => problem !== null)

    expect(one).toMatchObject({ progress: 'address', chain: null })
    expect(one.problem).toBe(`${shop} leads nowhere yet. Set in the DNS: ${shop} A 127.0.0.1.`)
    expect(pebble.asked.filter((asked) => asked.startsWith('POST'))).toEqual([])
    expect(await product.visit(shop)).toBe(200)
  })

  it('is not asked for while another authority alone may issue', async () => {
    await dns.set('org', [...records, 'example CAA 0 issue "other.example"'])
    await lookNow()

    const one = await untilIs('CAA was looked at', ({ progress }) => progress === 'caa')

    expect(one.problem).toMatch(/^example\.org lets other authorities .* CAA 0 issue "ca\.example"\.$/)
  })

  it('is there as soon as the DNS leads here, without anybody doing anything on the machine', async () => {
    await dns.set('org', records)
    const before = readReloads(product)
    await lookNow()

    const one = await untilIs('it is served', ({ progress, status }) => progress === 'served' && status === 'active')

    expect(one).toMatchObject({ problem: null, names: [shop], source: 'acme' })
    const leaf = await served(shop)
    expect(leaf.subjectAltName).toBe(`DNS:${shop}`)
    expect(one.chain?.startsWith(leaf.toString())).toBe(true)
    expect(readReloads(product)).toBe(before)
    expect(await product.visit(shop)).toBe(308)
  })

  it('is copied for another service of the machine, by root and for root alone, once for each chain', async () => {
    const rescue = rescueCaller('--root', product.root)
    const directory = mkdtempSync('/var/lib/wcp360-export-')
    const give = (name: string, to = directory) => rescue({ do: 'export-certificate', name, directory: to })
    try {
      const { report } = await give(shop)
      expect(report?.did.join()).toMatch(/were written, for root alone/)
      const [crt, key] = [join(directory, `${shop}.crt`), join(directory, `${shop}.key`)]
      expect([crt, key].map((file) => (statSync(file).mode & 0o777).toString(8))).toEqual(['600', '600'])
      const leaf = new X509Certificate(readFileSync(crt))
      expect(leaf.checkPrivateKey(createPrivateKey(readFileSync(key)))).toBe(true)
      expect(leaf.serialNumber).toBe((await served(shop)).serialNumber)

      const { mtimeMs } = statSync(crt)
      expect((await give(shop.toUpperCase())).report?.did.join()).toMatch(/are what is served/)
      expect(statSync(crt).mtimeMs).toBe(mtimeMs)

      const problems = [give('nobody.example.org'), give('../etc'), give(shop, '/var/lib/../lib'), give(shop, 'here')]
      expect((await Promise.all(problems)).map(({ problem }) => problem?.code)).toEqual([
        'not_found',
        'bad_input',
        'bad_input',
        'bad_input',
      ])
      chownSync(directory, 65_534, 65_534)
      writeFileSync(crt, 'older')
      expect((await give(shop)).problem).not.toBeNull()
      expect(readFileSync(crt, 'utf8')).toBe('older')
    } finally {
      rmSync(directory, { recursive: true })
    }
  })

  it('is asked for anew when the site has another name', async () => {
    await product.call('PATCH', `/domains/${shop}`, { aliases: [`www.${shop}`] })

    await untilIs('it names both', ({ names }) => names.length === 2)
    await product.until(
      'it is served',
      async () => (await served(`www.${shop}`)).subjectAltName?.includes('www.') === true,
    )
  })

  it('leads visitors to HTTPS under both, until the site wants it otherwise', async () => {
    const visits = async () => [await product.visit(shop), await product.visit(`www.${shop}`)].join()
    await product.until('both lead there', async () => (await visits()) === '308,308')

    await product.call('PATCH', `/domains/${shop}`, { https: 'optional' })

    await product.until('both are the site', async () => (await visits()) === '200,200')
  })

  it('is for the names that lead here, and says what the others lack', async () => {
    await dns.set('org', [...records, 'mall.example A 127.0.0.1', 'www.mall.example A 192.0.2.7'])
    await product.call('POST', '/domains', { tenant: 'acme', fqdn: mall, php: 'none', aliases: [`www.${mall}`] })

    const one = await untilIs('it is served', ({ names, status }) => names.length > 0 && status === 'active', mall)

    expect(one).toMatchObject({ progress: 'served', names: [mall] })
    expect(one.problem).toMatch(/^www\.mall\.example\.org leads to 192\.0\.2\.7, not to this server\. Set in the DNS: /)
    await lookNow(mall)
    await untilIs('it was looked at', ({ nextTryAt }) => Date.parse(String(nextTryAt)) > Date.now(), mall)
    expect(pebble.count('/order-plz')).toBe(1)
    await dns.set('org', [...records, 'mall.example A 127.0.0.1', 'www.mall.example A 127.0.0.1'])
    await lookNow(mall)
    await untilIs('it is for both', ({ names, problem }) => names.length === 2 && problem === null, mall)
    await product.call('DELETE', `/domains/${mall}`)
  })

  it('is renewed when the authority says, by the same key', async () => {
    const before = await served(shop)
    renewNow()
    await lookNow()

    await product.until('another one is served', async () => (await served(shop)).serialNumber !== before.serialNumber)

    const after = await served(shop)
    expect(after.publicKey.equals(before.publicKey)).toBe(true)
    const [renewal = ''] = pebble.asked.filter((asked) => asked.includes('/ari/'))
    expect(renewal).toMatch(/^GET \/ari\/[\w-]+\.[\w-]+$/)
  })

  it.each<[string, (chain: string) => string, RegExp]>([
    [
      'in the wrong order',
      (chain) => blocks(chain).toReversed().join(''),
      /cannot be served: its first certificate is an authority’s/,
    ],
    ['without its issuer', (chain) => blocks(chain)[0] ?? '', /issuer is missing/],
    ['for another key', () => foreign(), /does not take the chain/],
  ])('is kept when a chain comes %s', async (_, twist, why) => {
    const before = await served(shop)
    renewNow()
    pebble.twist = (asked, body) => (asked.path.startsWith('/certZ/') ? twist(body) : body)
    passPauses()

    await untilIs(`it was refused: ${why}`, ({ problem, status }) => status === 'active' && why.test(problem ?? ''))

    expect((await served(shop)).serialNumber).toBe(before.serialNumber)
    await expect(lookNow()).rejects.toThrow(/it waits until/)
  })

  it('is kept when the authority fails', async () => {
    const before = await served(shop)
    renewNow()
    const renewals = pebble.mood
    const failure = { status: 500, headers: { 'retry-after': '1' } } // else all wait for a minute
    pebble.mood = (asked) => (asked.path === '/order-plz' ? failure : renewals(asked))
    passPauses()
    await untilIs('it has failed', ({ problem }) => problem?.includes('500') === true)
    expect((await served(shop)).serialNumber).toBe(before.serialNumber)
  })

  it('is got when everything was killed in the middle of the order', async () => {
    const before = await served(shop)
    renewNow()
    const renewals = pebble.mood
    const ready = Promise.withResolvers<void>()
    pebble.mood = (asked) => {
      if (asked.path.startsWith('/finalize-order/')) ready.resolve()
      return renewals(asked)
    }
    passPauses()
    await ready.promise
    await product.restart('SIGKILL')
    expect((await served(shop)).serialNumber).toBe(before.serialNumber)
    passPauses()

    await product.until('another one is served', async () => (await served(shop)).serialNumber !== before.serialNumber)
    expect(await get()).toMatchObject({ problem: null, progress: 'served' })
  })

  it('may be brought, for the key that is here', async () => {
    const own = new Authority()
    const { request: csr } = (await product.call('GET', `/certificates/${shop}/request`)) as { request: string }
    const wrong = own.issue({ csr: own.request([shop, `www.${shop}`]) })
    const { jobId } = (await product.call('POST', `/certificates/${shop}/upload`, { chain: wrong })) as {
      jobId: string
    }
    const before = await served(shop)
    await product.until('the root side refused it', async () => (await job(jobId)).state === 'failed')
    expect((await job(jobId)).failure?.message).toMatch(/not for the key that was made here/)
    expect(await get()).toMatchObject({ source: 'acme' })
    expect((await served(shop)).serialNumber).toBe(before.serialNumber)

    await product.call('POST', `/certificates/${shop}/upload`, { chain: own.issue({ csr }) })

    await product.until('it is served', async () => (await served(shop)).issuer === 'CN=Authority')
    expect(await get()).toMatchObject({ source: 'own', nextTryAt: null })
    own.dispose()

    await lookNow()
    await untilIs('the authority’s is back', ({ renewAt, status }) => renewAt !== null && status === 'active')
  })

  it('is kept, and the authority left alone for as long as it asks', async () => {
    const before = await served(shop)
    renewNow()
    const renewals = pebble.mood
    const refusal = { type: 'urn:ietf:params:acme:error:rateLimited', detail: 'too many\ncertificates' }
    pebble.mood = (asked) =>
      asked.path === '/order-plz' ? json(refusal, 429, { 'retry-after': '7200' }) : renewals(asked)
    passPauses()

    const one = await untilIs('it was refused', ({ problem }) => problem?.includes('too many') === true)

    expect(one.problem).toBe('The authority refuses: too many certificates')
    expect(Date.parse(String(one.nextTryAt)) - Date.now()).toBeGreaterThan(1.9 * hour)
    expect(pebble.count('/order-plz')).toBe(1)
    expect((await served(shop)).serialNumber).toBe(before.serialNumber)
  })

  it('is got from an authority that gives accounts to its customers alone', async () => {
    const binding = { kid: 'customer-7', key: randomBytes(32).toString('base64url') }
    const { panel: port, http: proxyPort } = await freePorts()
    const httpPort = product.ports.http
    const strict = await Pebble.start({
      port,
      proxyPort,
      httpPort,
      dns: dns.address,
      directory: (body) => body,
      binding,
    })
    const reconfigured = async (more: string) => {
      const times = reloads()
      product.configure(`dns_servers: ${dns.address}\nacme_ca_file: ${strict.caFile}\n${more}`)
      product.kill('SIGHUP')
      await product.until('the panel has it', async () => reloads() > times && (await product.isConnected()))
    }
    const reloads = () => product.output.split('configuration reloaded').length
    const { issuer: former } = await get()
    try {
      await reconfigured('')
      await product.call('PATCH', '/settings/certificates.authority', { value: strict.directory })
      await product.call('POST', '/domains', { tenant: 'acme', fqdn: big, php: 'none' })
      const refused = await untilIs('it was refused', ({ problem }) => problem !== null, big)
      expect(refused.problem).toMatch(/^The authority refuses: .*external.?account.?binding/i)

      await reconfigured(`acme_binding: ${binding.kid} ${binding.key}\n`)
      passPauses()

      await product.until('it is served', async () => (await served(big)).subjectAltName === `DNS:${big}`)
      const { issuer } = await get(big)
      await untilIs('the others are of that authority, too', (one) => one.issuer === issuer)
      expect(issuer).not.toBe(former)
    } finally {
      await strict.stop()
    }
  })

  const job = async (id: string) =>
    (await product.call('GET', `/jobs/${id}`)) as { state: string; failure: { message: string } | null }
})

function foreign(): string {
  const other = new Authority()
  const chain = other.issue({ csr: other.request([shop, `www.${shop}`]) })
  other.dispose()
  return chain
}

function json(body: unknown, status = 200, headers: Record<string, string> = {}) {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) }
}

function blocks(chain: string): string[] {
  return chain.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----\n/g) ?? []
}

/** Each reload of nginx starts new workers. */
function readReloads(product: Product): string {
  return String(product.pids.nginx)
}

/** What a browser is shown for a name. */
async function servedBy(port: number, servername: string): Promise<X509Certificate> {
  const socket = connect({ host: '127.0.0.1', port, servername, rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  const found = new X509Certificate(socket.getPeerCertificate(true).raw)
  socket.destroy()
  return found
}
