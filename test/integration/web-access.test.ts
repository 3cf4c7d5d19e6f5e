/** Who gets in, as visitors find it: real nginx, real PHP, rows and files as a job writes them. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { FpmStart } from '../../src/agent/os/services.ts'
import { newSitePassword, siteVerifier } from '../../src/lib/site-password.ts'
import { type Answer, ask, trustedProxy, WebMachine } from './web-machine.ts'

const host = 'shop.example.com'
const alias = 'www.shop.example.com'
const plain = 'plain.example.com'
const challenge = '/.well-known/acme-challenge/evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA'
const tell = '<?php echo "ran " . basename(__FILE__);'
const alice = { name: 'alice', password: newSitePassword() }
const bob = { name: 'b@b.example', password: newSitePassword() }

let machine: WebMachine
let acme: FpmStart
let docroot: string

beforeAll(async () => {
  machine = await WebMachine.boot()
  acme = machine.addTenant('acme', 21_001)
  docroot = machine.addSite(acme, host, {
    'index.php': tell,
    'open.txt': 'open',
    'intern/a.txt': 'secret',
    'intern/a.php': tell,
    'intern/uploads/b.php': tell,
    'intern/deep/er/c.txt': 'secret',
    'members/index.html': 'secret',
    'data/d.txt': 'secret',
    'missing.html': 'not here',
  })
  machine.write(acme, join(docroot, challenge), 'own proof')
  machine.addAlias(acme, alias, host)
  machine.addSite(acme, plain, { 'index.php': tell, 'intern/a.txt': 'of the plain site' })
})

afterAll(async () => {
  await machine?.shutDown()
})

const choose = (settings: object) => machine.choose(acme, host, settings, [alias])
const userOf = ({ name, password }: typeof alice) => ({ name, verifier: siteVerifier(password) })
const as = ({ name, password }: typeof alice) => ({
  headers: { Authorization: `Basic ${btoa(`${name}:${password}`)}` },
})
const seen = ({ status, body }: Answer) => [status, body]

describe('protected directories', () => {
  beforeAll(() =>
    choose({ locked: ['/intern', '/members'], withoutPhp: ['/intern/uploads'], users: [userOf(alice), userOf(bob)] }),
  )

  it.each([
    '/intern/a.txt',
    '/intern',
    '/intern/',
    '/INTERN/a.txt',
    '/%69ntern/a.txt',
    '//intern/a.txt',
    '/x/../intern/a.txt',
    '/intern/a.php',
    '/intern/a.php/x',
    '/intern/none.php',
    '/intern/none',
    '/intern/deep/er/c.txt',
    '/members/',
  ])('ask for a password: %s', async (path) => {
    for (const name of [host, alias]) {
      const answer = await ask(name, path)
      expect([answer.status, answer.headers['www-authenticate'], answer.body.includes('secret')]).toEqual([
        401,
        'Basic realm="Protected area"',
        false,
      ])
    }
    expect((await ask(host, path, as({ name: 'alice', password: bob.password }))).status).toBe(401)
  })

  it('let in who has one, for files and for PHP that sleeps or is awake', async () => {
    await machine.services.stopFpm(acme.name)
    for (const user of [alice, bob]) {
      expect(seen(await ask(host, '/intern/a.txt', as(user)))).toEqual([200, 'secret'])
      expect(seen(await ask(alias, '/intern/a.php', as(user)))).toEqual([200, 'ran a.php'])
      expect(seen(await ask(host, '/members/', as(user)))).toEqual([200, 'secret'])
      expect(seen(await ask(host, '/intern/none', as(user)))).toEqual([200, 'ran index.php'])
    }
    expect((await ask(host, '/intern/uploads/b.php', as(alice))).status).toBe(403)
  })

  it('wake no PHP for who has none', async () => {
    await machine.services.stopFpm(acme.name)
    const before = machine.starts.length

    expect((await ask(host, '/intern/a.php')).status).toBe(401)
    expect((await ask(host, '/intern/a.php', { method: 'POST', body: Buffer.from('a=b') })).status).toBe(401)
    expect(machine.starts.length).toBe(before)
  })

  it.each(['/open.txt', '/', '/internal'])('leave the others alone: %s', async (path) => {
    expect((await ask(host, path)).status).toBe(200)
    expect(seen(await ask(plain, '/intern/a.txt'))).toEqual([200, 'of the plain site'])
  })

  it('tell names apart by capitals, and take no part of a password', async () => {
    const wrong = [
      { name: 'Alice', password: alice.password },
      { name: 'alice', password: alice.password.slice(0, -1) },
      { name: 'alice', password: '' },
      { name: 'alice:{PLAIN}x', password: 'x' },
      { name: '', password: '' },
    ]
    for (const one of wrong) expect((await ask(host, '/intern/a.txt', as(one))).status).toBe(401)
  })

  it('know new users, new passwords and those who are gone at the next request', async () => {
    const other = { name: 'alice', password: newSitePassword() }
    machine.admit(acme, host, [userOf(other)])

    expect((await ask(host, '/intern/a.txt', as(other))).status).toBe(200)
    for (const gone of [alice, bob]) expect((await ask(host, '/intern/a.txt', as(gone))).status).toBe(401)
    machine.admit(acme, host, [])
    expect((await ask(host, '/intern/a.txt', as(other))).status).toBe(401)
  })

  it('stay shut when their users are lost', async () => {
    rmSync(machine.places.web.users(acme.name, host as never))

    expect((await ask(host, '/intern/a.txt', as(alice))).status).toBe(403)
    expect((await ask(host, '/open.txt')).status).toBe(200)
  })

  it('are reached by no front controller that was chosen', async () => {
    await choose({ locked: ['/intern'], front: '/intern/a.php', users: [userOf(alice)] })

    expect((await ask(host, '/no/such/file')).status).toBe(401)
    expect(seen(await ask(host, '/no/such/file', as(alice)))).toEqual([200, 'ran a.php'])
  })
})

describe('a whole site', () => {
  beforeAll(() =>
    choose({ locked: ['/'], closed: ['/data'], missing: '/missing.html', front: 'off', users: [userOf(alice)] }),
  )

  it.each(['/', '/open.txt', '/none', '/index.php', '/.env', '/missing.html', '/a.phtml'])(
    'asks for a password: %s',
    async (path) => {
      expect((await ask(host, path)).status).toBe(401)
    },
  )

  it('answers who has one', async () => {
    expect(seen(await ask(host, '/open.txt', as(alice)))).toEqual([200, 'open'])
    expect(seen(await ask(host, '/none', as(alice)))).toEqual([404, 'not here'])
    expect((await ask(host, '/data/d.txt', as(alice))).status).toBe(404)
  })

  it('answers authorities, and says that it is suspended or worked on', async () => {
    expect((await ask(host, challenge)).body).toBe('own proof')
    const live = join(machine.places.web.hosts, host, 'live')
    rmSync(live)
    expect((await ask(host, '/')).status).toBe(503)
    expect((await ask(host, challenge)).status).not.toBe(401)
    machine.link(0, '../../live', live)
    await choose({ locked: ['/'], maintenance: true, users: [userOf(alice)] })
    expect((await ask(host, '/')).status).toBe(503)
  })

  it('is open again when nothing is chosen', async () => {
    await choose({})

    expect((await ask(host, '/open.txt')).status).toBe(200)
  })
})

describe('addresses', () => {
  const allow = (range: string) => ({ isAllowed: true, range })
  const deny = (range: string) => ({ isAllowed: false, range })
  const from = (localAddress: string, path = '/open.txt', name = host) => ask(name, path, { localAddress })

  it('are refused where they are denied, under every name, and others are let in', async () => {
    await choose({ addresses: [deny('127.0.0.2')] })

    for (const name of [host, alias]) {
      expect((await from('127.0.0.2', '/open.txt', name)).status).toBe(403)
      expect((await from('127.0.0.3', '/open.txt', name)).status).toBe(200)
    }
    expect((await from('127.0.0.2', '/index.php')).status).toBe(403)
    expect((await from('127.0.0.2', challenge)).body).toBe('own proof')
    expect((await from('127.0.0.2', '/intern/a.txt', plain)).status).toBe(200)
  })

  it('are let in where they are allowed, and no others, the narrowest range first', async () => {
    await choose({ addresses: [allow('127.8.0.0/13'), deny('127.9.0.0/16'), allow('127.9.9.0/24'), deny('127.9.9.9')] })

    for (const [address, status] of [
      ['127.8.1.1', 200],
      ['127.15.255.255', 200],
      ['127.16.0.0', 403],
      ['127.0.0.1', 403],
      ['127.9.1.1', 403],
      ['127.9.9.1', 200],
      ['127.9.9.9', 403],
    ] as const)
      expect([address, (await from(address)).status]).toEqual([address, status])
  })

  it('count for some directories alone, beside a password', async () => {
    await choose({
      addresses: [allow('127.0.0.2')],
      addressesBelow: ['/intern', '/data'],
      locked: ['/intern'],
      users: [userOf(alice)],
    })

    expect((await from('127.0.0.3')).status).toBe(200)
    expect((await from('127.0.0.2', '/data/d.txt')).status).toBe(200)
    for (const path of ['/data/d.txt', '/DATA/d.txt', '/intern/a.php'])
      expect((await from('127.0.0.3', path)).status).toBe(403)
    expect((await from('127.0.0.2', '/intern/a.txt')).status).toBe(401)
    expect((await ask(host, '/intern/a.txt', { localAddress: '127.0.0.2', ...as(alice) })).status).toBe(200)
  })

  it('of IPv6 are known by their groups, however their zeros are written', async () => {
    const text = readFileSync(machine.places.nginxSite, 'utf8')
    const other = text.replace(/map \$remote_addr \$wcp360_whole_address [^}]*/, (map) =>
      map.replaceAll('$remote_addr', '$arg_from'),
    )
    expect(other).not.toBe(text)
    writeFileSync(machine.places.nginxSite, other)
    await choose({
      addresses: [
        allow('2001:db8::/32'),
        deny('2001:db8:0:1::/64'),
        allow('2001:db8:0:1::5'),
        allow('::1'),
        allow('fe80::/10'),
        allow('2a00:0:0:ab00::/56'),
        allow('a:b:c:d:e:f:1:0/112'),
      ],
    })

    for (const [said, status] of [
      ['2001:db8::1', 200],
      ['2001:db8:1:2:3:4:5:6', 200],
      ['2001:db8:0:1::1', 403],
      ['2001:db8:0:1:1:2:3:4', 403],
      ['2001:db8:0:1::5', 200],
      ['2001:db8::1:0:0:0:5', 200],
      ['2001:db8:0:2::', 200],
      ['2001:db9::1', 403],
      ['::1', 200],
      ['::2', 403],
      ['::', 403],
      ['fe80::1', 200],
      ['febf::', 200],
      ['fec0::', 403],
      ['2a00::ab12:0:0:0:1', 200],
      ['2a00::abff:1:2:3:4', 200],
      ['2a00::ac00:1:2:3:4', 403],
      ['a:b:c:d:e:f:1::', 200],
      ['a:b:c:d:e:f:1:ffff', 200],
      ['a:b:c:d:e:f:2:0', 403],
      ['::2001:db8', 403],
      ['2001:db:8::', 403],
      ['20:1:db8::', 403],
      ['127.0.0.1', 403],
    ] as const)
      expect([said, (await ask(host, `/open.txt?from=${said}`)).status]).toEqual([said, status])
    writeFileSync(machine.places.nginxSite, text)
    await choose({})
  })
})

it('nobody but the workers of the web server reads who the users are', async () => {
  await choose({ locked: ['/intern'], users: [userOf(alice)] })
  writeFileSync(
    join(docroot, 'read.php'),
    `<?php var_dump(@file_get_contents($_SERVER['DOCUMENT_ROOT'] . '/../users'), @file_get_contents('${machine.places.web.users(acme.name, host as never)}'));`,
  )

  const { body } = await ask(host, '/read.php')
  expect(body).not.toContain('SSHA')
  expect((await ask(host, '/users')).body).not.toContain('SSHA')
  expect(body.match(/bool\(false\)/g)).toHaveLength(2)
})

describe('bounds', () => {
  const send = (size: number | null, path = '/index.php') =>
    ask(
      host,
      path,
      size === null
        ? { method: 'POST', headers: { 'Transfer-Encoding': 'chunked' } }
        : { method: 'POST', body: Buffer.alloc(size) },
    )

  it.each([
    ['1', 1_000_000],
    ['8', 8_000_000],
    ['32', 32_000_000],
  ] as const)('of a body: %s MB', async (bodyMb, size) => {
    await choose({ bodyMb })

    expect((await send(size)).status).toBe(200)
    expect((await send(size + 1)).status).toBe(413)
    for (const said of [`0${size + 1}`, '1234567890', `${size * 10}`])
      expect(
        (
          await ask(host, '/index.php', {
            method: 'POST',
            headers: { 'Content-Length': said, Connection: 'close' },
            body: Buffer.alloc(0),
          })
        ).status,
      ).toBe(413)
    expect((await send(null)).status).toBe(411)
    expect((await ask(host, '/open.txt')).status).toBe(200)
    expect((await ask(plain, '/index.php', { method: 'POST', body: Buffer.alloc(size + 1) })).status).toBe(200)
  })

  it('of requests in a second, of one network to one site, and nothing else is other', async () => {
    await choose({
      rate: '1',
      locked: ['/intern'],
      users: [userOf(alice)],
      missing: '/missing.html',
      front: 'off',
      connections: '4',
      cache: 'day',
    })
    const many = (localAddress: string, path = '/open.txt', name = host) =>
      Promise.all(Array.from({ length: 3 }, () => ask(name, path, { localAddress }))).then((answers) =>
        answers.map(({ status }) => status),
      )

    expect(seen(await ask(host, '/open.txt'))).toEqual([200, 'open'])
    expect(seen(await ask(host, '/index.php?a=b'))).toEqual([200, 'ran index.php'])
    expect((await ask(host, '/index.php', { method: 'POST', body: Buffer.from('a=b') })).status).toBe(200)
    expect(seen(await ask(host, '/none%0a'))).toEqual([404, 'not here'])
    for (const path of ['/.env', '/.none', '/users']) expect((await ask(host, path)).status).toBe(404)
    expect((await ask(host, '/intern/a.txt')).status).toBe(401)
    expect(seen(await ask(host, '/intern/a.txt', as(alice)))).toEqual([200, 'secret'])
    const rounds: number[] = []
    for (let round = 0; round < 5; round++) rounds.push(...(await many('127.0.0.9')))
    expect(rounds.filter((status) => status === 200).length).toBeGreaterThanOrEqual(11)
    expect(rounds.filter((status) => status === 429).length).toBeGreaterThanOrEqual(2)
    expect((await ask(host, '/open.txt', { localAddress: '127.0.0.9' })).headers['retry-after']).toBe('1')
    expect((await many('127.0.0.10')).join()).toBe('200,200,200')
    expect((await many('127.0.0.9', '/intern/a.txt', plain)).join()).toBe('200,200,200')
  })

  it('of requests under way', async () => {
    machine.write(acme, join(docroot, 'slow.php'), '<?php usleep(700_000); echo "slow";')
    await choose({ connections: '4' })
    await ask(host, '/slow.php')
    const statuses = (await Promise.all(Array.from({ length: 12 }, () => ask(host, '/slow.php')))).map(
      ({ status }) => status,
    )

    expect(statuses.filter((status) => status === 429).length).toBeGreaterThanOrEqual(4)
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(4)
    expect((await ask(plain, '/index.php')).status).toBe(200)
  })
})

describe('what is shown', () => {
  const from = (Referer: string, path = '/a.png', name = host) =>
    ask(name, path, { headers: { Referer } }).then(({ status }) => status)

  it('of pictures is for pages of the site and of those that were named', async () => {
    machine.write(acme, join(docroot, 'a.png'), 'a picture')
    await choose({ ownPictures: true, friends: ['partner.example.net'] })

    for (const page of [
      `https://${host}/`,
      `http://${host.toUpperCase()}:8080/x`,
      `https://${alias}`,
      'https://partner.example.net/a?b',
      'about:blank',
    ])
      for (const name of [host, alias]) expect([page, await from(page, '/a.png', name)]).toEqual([page, 200])
    for (const page of [
      'https://thief.example/',
      `https://thief.example/${host}`,
      `https://${host}.thief.example/`,
      `https://x@${host}/`,
      'https://sub.partner.example.net/',
      'http://[::1]/',
    ])
      expect([page, await from(page)]).toEqual([page, 403])
    expect(await from('https://thief.example/', '/open.txt')).toBe(200)
    expect((await ask(host, '/a.png')).status).toBe(200)
    expect(await from('https://thief.example/', '/intern/a.txt', plain)).toBe(200)
  })

  it('of directories is what is in them, where that was chosen, and nothing hidden or of others', async () => {
    machine.write(acme, join(docroot, 'files/one.zip'), 'x')
    machine.write(acme, join(docroot, 'files/.hidden'), 'x')
    machine.write(acme, join(docroot, 'files/sub/two.txt'), 'x')
    machine.write(acme, join(docroot, 'files/own/index.html'), 'an index')
    machine.write(acme, join(docroot, 'files/app/index.php'), tell)
    machine.link(acme.uid, '/etc', join(docroot, 'files/etc'))
    await choose({ listed: ['/files', '/intern'], locked: ['/intern'], users: [userOf(alice)], front: 'off' })

    const { status, body } = await ask(host, '/files/')
    expect([status, body.includes('one.zip'), body.includes('.hidden')]).toEqual([200, true, false])
    expect((await ask(host, '/files/sub/')).body).toContain('two.txt')
    expect(seen(await ask(host, '/files/own/'))).toEqual([200, 'an index'])
    expect(seen(await ask(host, '/files/app/'))).toEqual([200, 'ran index.php'])
    expect((await ask(host, '/files/etc/')).body).not.toContain('passwd')
    expect((await ask(host, '/intern/')).status).toBe(401)
    expect((await ask(host, '/intern/', as(alice))).body).toContain('a.txt')
    expect((await ask(host, '/data/')).status).toBe(403)
    await choose({ listed: ['/'], front: 'off' })
    expect((await ask(host, '/data/')).body).toContain('d.txt')
    expect(seen(await ask(host, '/'))).toEqual([200, 'ran index.php'])
  })
})

describe('the address of a visitor behind a proxy', () => {
  const via = (proxy: string, said: string, path = '/open.txt') =>
    ask(host, path, { localAddress: proxy, headers: { 'X-Forwarded-For': said } })

  it('is what a named proxy says, for rules, PHP and the log, and what nobody else says', async () => {
    machine.write(acme, join(docroot, 'who.php'), '<?php echo $_SERVER["REMOTE_ADDR"];')
    await choose({
      addresses: [
        { isAllowed: false, range: '203.0.113.0/24' },
        { isAllowed: false, range: '2001:db8:1::/48' },
      ],
    })

    expect((await via(trustedProxy, '198.51.100.7', '/who.php')).body).toBe('198.51.100.7')
    expect((await via(trustedProxy, '192.0.2.1, 198.51.100.7, 127.0.0.77', '/who.php')).body).toBe('198.51.100.7')
    expect((await via('127.0.0.5', '198.51.100.7', '/who.php')).body).toBe('127.0.0.5')
    expect((await via(trustedProxy, 'nonsense', '/who.php')).body).toBe(trustedProxy)
    expect((await via(trustedProxy, '203.0.113.9')).status).toBe(403)
    expect((await via(trustedProxy, '2001:db8:1::9')).status).toBe(403)
    expect((await via(trustedProxy, '2001:db8:2::9')).status).toBe(200)
    expect((await via(trustedProxy, '203.0.113.9, 198.51.100.7')).status).toBe(200)
    expect((await via('127.0.0.5', '203.0.113.9')).status).toBe(200)
    await choose({})
  })
})
