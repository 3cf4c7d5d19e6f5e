/** Who gets in, as visitors find it: real nginx, real PHP, rows and files as a job writes them. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { FpmStart } from '../../src/agent/os/services.ts'
import { newSitePassword, siteVerifier } from '../../src/lib/site-password.ts'
import { type Answer, ask, WebMachine } from './web-machine.ts'

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
