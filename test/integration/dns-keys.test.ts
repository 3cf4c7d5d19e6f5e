/** Names that are proven in the DNS: a real name server takes signed updates, and a real authority looks at them. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { connect } from 'node:tls'
import Sqlite from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { asset } from '../../src/program/assets.ts'
import { Certificate } from '../../src/resources/certificate/schema.ts'
import { DnsKey } from '../../src/resources/dns-key/schema.ts'
import { type Change, sendUpdate } from '../../src/resources/dns-key/send-update.ts'
import { freePorts } from '../support/free-ports.ts'
import { Knot } from '../support/knot.ts'
import { Pebble } from '../support/pebble.ts'
import { Product } from '../support/product.ts'
import { hosting, authority as pebbleIsMissing, updatedNameServer } from '../support/requirements.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const main = join(import.meta.dirname, '../../src/main.ts')
const zone = 'example.org'
const [first, second] = ['127.0.99.1', '127.0.99.2']
const secret = Buffer.alloc(32, 7).toString('base64')
const records = ['@ NS ns1', '@ NS ns2', `ns1 A ${first}`, `ns2 A ${second}`]
const keys = ['hmac-sha256', 'hmac-sha384', 'hmac-sha512'].map((algorithm) => ({
  name: `${algorithm.slice(5)}.wcp360`,
  algorithm,
  secret,
}))

describe.skipIf(hosting() ?? updatedNameServer())('an update of the DNS', () => {
  let knot: Knot
  const signal = new AbortController().signal
  const name = `_acme-challenge.shop.${zone}`
  const key = { name: 'sha256.wcp360', algorithm: 'hmac-sha256', secret: Buffer.alloc(32, 7) } as const
  const send = (change: Partial<Change>) => sendUpdate({ servers: [first], zone, key, signal, ...change })
  const add = [{ name, text: 'one' }]

  beforeAll(async () => {
    knot = await Knot.start({ address: first, zone, records, keys, owners: [`shop.${zone}.`] })
  })
  afterAll(() => knot?.stop())

  it.each(keys)('is taken by a key of $algorithm, and leaves other records alone', async ({ name: by, algorithm }) => {
    const other = { name: by, algorithm: algorithm as typeof key.algorithm, secret: key.secret }
    await send({ key: other, add: [...add, { name, text: 'two' }] })
    expect(await knot.texts(name)).toEqual(['one', 'two'])

    await send({ key: other, remove: add })
    await send({ key: other, remove: add })

    expect(await knot.texts(name)).toEqual(['two'])
    await send({ key: other, remove: [{ name, text: 'two' }] })
    expect(await knot.texts(name)).toEqual([])
  })

  it.each<[string, Partial<Change>, RegExp]>([
    ['a wrong secret', { key: { ...key, secret: Buffer.alloc(32, 8) } }, /signature .* wrong \(BADSIG\): its secret/],
    ['an unknown key', { key: { ...key, name: 'nobody' } }, /does not know the key "nobody" .*\(BADKEY\)/],
    ['another algorithm', { key: { ...key, algorithm: 'hmac-sha512' } }, /for hmac-sha512, .*\(BADKEY\)/],
    ['another time', { now: () => Date.now() + 3_600_000 }, /clocks .*\(BADTIME\): here it is .*, there it is 20/],
    ['a zone that is not there', { zone: 'example.net' }, /does not serve the zone example\.net, .*\(NOTAUTH\)/],
    [
      'a name that the key may not change',
      { add: [{ name: `www.${zone}`, text: 'x' }] },
      /lets it change nothing here/,
    ],
    ['nobody at that address', { servers: ['127.0.99.9'] }, /cannot be reached over TCP \(ECONNREFUSED\)/],
  ])('tells of %s', async (_, change, said) => {
    const error = await send({ add, ...change }).catch((reason) => reason)

    expect(error.message).toMatch(said)
    expect(error.name).toBe('UpdateRefused')
    expect(error.message).not.toContain(secret)
    expect(await knot.texts(name)).toEqual([])
  })

  it('asks the next address where the first leads nowhere', async () => {
    await send({ servers: ['127.0.99.9', first], add })
    expect(await knot.texts(name)).toEqual(['one'])
    await send({ remove: add })
  })

  it.each<[string, (request: Buffer) => Buffer | null, RegExp]>([
    ['says nothing', () => null, /does not answer within 0\.3 seconds/],
    ['says yes without a signature', unsigned(0), /without a right signature/],
    ['refuses without a signature', unsigned(5), /does not let the key .* change this record of .* \(REFUSED\)/],
    ['says that the name is elsewhere', unsigned(10), /not in the zone .*\(NOTZONE\)/],
    ['takes no updates', unsigned(4), /takes no updates/],
    ['sends back what it got', (request) => request, /something else than asked/],
    ['sends noise', () => Buffer.from([0, 3, 1, 2, 3]), /something else than a DNS message/],
    ['sends a message that points at itself', pointing, /something else than a DNS message/],
    ['goes on and on', () => Buffer.from([0xff, 0xff, 0]), /more than 4096 bytes/],
  ])('is not believed to be done by a server that %s', async (_, answer, said) => {
    const liar = await lying(answer)
    const { port } = liar.address() as { port: number }
    await expect(send({ servers: [`127.0.0.1:${port}`], add, timeoutMs: 300 })).rejects.toThrow(said)
    liar.close()
  })
})

describe.skipIf(hosting() ?? updatedNameServer() ?? pebbleIsMissing())('a domain that does not lead here', () => {
  let knot: Knot
  let follower: Knot
  let pebble: Pebble
  let product: Product
  const shop = `shop.${zone}`
  const proof = `_acme-challenge.${shop}`
  const given = { keyName: 'sha256.wcp360', secret, zones: [zone], servers: [first] }

  const certificate = async () => Certificate.parse(await product.call('GET', `/certificates/${shop}`))
  const key = async (id: string) => DnsKey.parse(await product.call('GET', `/dns-keys/${id}`))
  const store = <T>(use: (db: InstanceType<typeof Sqlite>) => T): T => {
    const db = new Sqlite(join(product.places.panelState, 'state.db'), { timeout: 10_000 })
    try {
      return use(db)
    } finally {
      db.close()
    }
  }
  const kept = () => store((db) => db.prepare('select name from dns_records').all())
  const make = async (over: Record<string, unknown> = {}) => {
    const { id } = (await product.call('POST', '/dns-keys', { ...given, ...over })) as { id: string }
    return id
  }
  const tried = async (id: string) => {
    // with its record removed again
    const isOver = async () => (await key(id)).checkedAt !== null && kept().length === 0
    await product.until('the key was tried', isOver)
    return key(id)
  }
  const lookNow = () => product.call('POST', `/certificates/${shop}/renew`)
  const passPauses = () =>
    store((db) => db.exec("update certificates set next_try_at = '2020-01-01T00:00:00.000Z', renew_at = null"))

  beforeAll(async () => {
    asset('styles.css') // compiled now: the panel's account may not write into the checkout
    knot = await Knot.start({ address: first, zone, records: [...records, 'shop A 192.0.2.7'], keys })
    follower = await Knot.start({ address: second, zone, follows: first })
    product = await Product.make({ command: [process.execPath, main] })
    const { panel: port, http: proxyPort } = await freePorts()
    const httpPort = product.ports.http
    const dns = `${first}:53`
    pebble = await Pebble.start({ port, proxyPort, httpPort, directory: (body) => body, dns, reusedProofs: 0 })
    product.configure(`dns_servers: ${first}\nacme_ca_file: ${pebble.caFile}\n`)
    await product.start()
    await product.stop()
    product.closeSetup()
    await product.start()
    await product.call('POST', '/packages', { name: 'basic' })
    for (const name of ['acme', 'other']) await product.call('POST', '/tenants', { name })
    await product.call('PATCH', '/settings/certificates.addresses', { value: '127.0.0.1' })
    await product.call('PATCH', '/settings/certificates.authority', { value: pebble.directory })
    await product.call('POST', '/domains', { tenant: 'acme', fqdn: shop, php: 'none' })
  })
  afterAll(async () => {
    await product?.dispose()
    await pebble?.stop()
    await follower?.stop()
    await knot?.stop()
  })

  it('has no certificate, and none by the key of another tenant', async () => {
    const id = await make({ tenant: 'other' })
    expect(await tried(id)).toMatchObject({ problem: null, tenantName: 'other' })
    expect(await knot.texts(`_acme-challenge.${zone}`)).toEqual([])
    const isTold = ({ problem }: Certificate) => problem !== null
    await product.until('it was looked at', () => certificate().then(isTold, () => false))
    await lookNow()
    await product.until('and again', async () => Date.parse(String((await certificate()).nextTryAt)) > Date.now())
    expect((await certificate()).problem).toMatch(/leads to 192\.0\.2\.7, not to this server/)
    expect(pebble.count('/order-plz')).toBe(0)
  })

  it('has none by a key with a wrong secret, which is told', async () => {
    const id = await make({ tenant: 'acme', secret: Buffer.alloc(32, 9).toString('base64') })
    const { problem } = await tried(id)
    expect(problem).toMatch(/BADSIG/)

    await lookNow()
    await product.until('the authority was asked', async () => (await certificate()).progress === 'order')
    await product.until('it was told', async () => (await certificate()).problem === problem)

    expect(pebble.asked.filter((one) => one.includes('/chalZ/'))).toEqual([])
    await product.call('DELETE', `/dns-keys/${id}`)
    await expect(product.call('GET', `/dns-keys/${id}`)).rejects.toThrow(/Cannot find DNS key/)
  })

  it('gets one once all servers of its zone show the record, and not before', async () => {
    await tried(await make())
    passPauses()
    await product.until('the record is set', async () => (await knot.texts(proof)).length === 1)
    expect(kept()).toEqual([{ name: proof }])
    await new Promise((resolve) => setTimeout(resolve, 1500))
    expect(pebble.asked.filter((one) => one.includes('/chalZ/'))).toEqual([])
    expect(await follower.texts(proof)).toEqual([])

    follower.refresh()

    await product.until('it is served', async () => (await certificate()).progress === 'served')
    expect(await certificate()).toMatchObject({ problem: null, names: [shop] })
    await product.until('it is shown', async () => (await shownNames(product.ports.https, shop)) === `DNS:${shop}`)
    expect(await knot.texts(proof)).toEqual([])
    expect(kept()).toEqual([])
  })

  it('leaves no record behind when the panel is killed in the middle', async () => {
    passPauses()
    await product.until('the record is set', async () => (await knot.texts(proof)).length === 1)
    await product.restart('SIGKILL')
    expect(await knot.texts(proof)).toHaveLength(1)

    store((db) => db.exec("update dns_records set next_try_at = '2020-01-01T00:00:00.000Z'"))

    await product.until('it is removed', async () => (await knot.texts(proof)).length === 0)
    await product.until('nothing is owed', async () => kept().length === 0)
  })

  it('shows the secret to nobody', async () => {
    const { items } = (await product.call('GET', '/dns-keys')) as { items: unknown[] }
    const trail = await product.call('GET', '/audit?limit=200')
    expect(items).toHaveLength(2)
    for (const text of [JSON.stringify(items), JSON.stringify(trail), product.output])
      expect(text).not.toContain(secret)
    const rows = store((db) => JSON.stringify(db.prepare('select * from dns_keys').all()))
    expect(rows).not.toContain(secret)
  })
})

/** @param answer with its length before it; null: none */
async function lying(answer: (request: Buffer) => Buffer | null): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (request: Buffer) => {
      const bytes = answer(request)
      if (bytes !== null) socket.write(bytes)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

/** The head of the request as an answer. @param code of the DNS */
function unsigned(code: number): (request: Buffer) => Buffer {
  return (request) => {
    const head = Buffer.from(request.subarray(2, 14))
    head.writeUInt16BE(0xa800 | code, 2)
    head.fill(0, 4)
    return Buffer.concat([Buffer.from([0, 12]), head])
  }
}

/** One question, whose name is a pointer to itself. */
function pointing(request: Buffer): Buffer {
  const head = Buffer.from(request.subarray(2, 14))
  head.writeUInt16BE(0xa800, 2)
  head.fill(0, 4)
  head.writeUInt16BE(1, 4)
  return Buffer.concat([Buffer.from([0, 14]), head, Buffer.from([0xc0, 12])])
}

async function shownNames(port: number, servername: string): Promise<string | undefined> {
  const socket = connect({ host: '127.0.0.1', port, servername, rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  const { subjectaltname } = socket.getPeerCertificate()
  socket.destroy()
  return subjectaltname
}
