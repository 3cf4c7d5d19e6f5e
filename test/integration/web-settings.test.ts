/** What an owner chooses for a site, as visitors find it: real nginx, real PHP, rows as a job writes them. */
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { FpmStart } from '../../src/agent/os/services.ts'
import { type Answer, ask, httpPort, WebMachine } from './web-machine.ts'

const host = 'shop.example.com'
const alias = 'www.shop.example.com'
const plain = 'plain.example.com'
const token = 'evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA'
const challenge = `/.well-known/acme-challenge/${token}`
const origin = `http://${host}:${httpPort}`
const tell = `<?php echo json_encode([basename(__FILE__), $_SERVER['REQUEST_URI'], $_SERVER['QUERY_STRING'],
  $_SERVER['DOCUMENT_ROOT'], str_replace($_SERVER['DOCUMENT_ROOT'], '', __DIR__), $_SERVER['SCRIPT_NAME']]);`

let machine: WebMachine
let acme: FpmStart
let docroot: string

beforeAll(async () => {
  machine = await WebMachine.boot()
  acme = machine.addTenant('acme', 21_001)
  docroot = machine.addSite(acme, host, {
    'index.php': tell,
    'a.txt': 'of the site',
    '.env': 'secret',
    'public/index.php': tell,
    'public/a.txt': 'below',
    'public/admin/tool.php': tell,
    'storage/logs/laravel.log': 'secret',
  })
  machine.write(acme, join(docroot, challenge), 'own proof')
  machine.addAlias(acme, alias, host)
  machine.addSite(acme, plain, { 'index.php': tell, 'a.txt': 'of the plain site' })
})

afterAll(async () => {
  await machine?.shutDown()
})

const choose = (settings: unknown) => machine.choose(acme, host, settings, [alias])
const to = ({ status, headers }: Answer) => [status, headers.location]

describe('a document root below the site', () => {
  beforeAll(() => choose({ root: 'public', front: '/index.php' }))

  it('is what visitors and PHP see, under every name', async () => {
    const seen = ['index.php', '/shop/1?a=b', 'a=b', join(docroot, 'public'), '', '/index.php']

    expect((await ask(host, '/a.txt')).body).toBe('below')
    expect((await ask(alias, '/a.txt')).body).toBe('below')
    for (const name of [host, alias]) expect(JSON.parse((await ask(name, '/shop/1?a=b')).body)).toEqual(seen)
    expect(JSON.parse((await ask(host, '/')).body)[0]).toBe('index.php')
    expect(JSON.parse((await ask(host, '/admin/tool.php')).body)[4]).toBe('/admin')
  })

  it('hides what is beside it', async () => {
    const paths = ['/storage/logs/laravel.log', '/../storage/logs/laravel.log', '/%2e%2e/storage/logs/laravel.log']
    for (const path of paths) expect((await ask(host, path)).body).not.toBe('secret')
  })

  it('leads nowhere by a link of the tenant to what is not its own', async () => {
    const other = machine.addTenant('other', 21_002)
    const theirs = machine.addSite(other, 'other.example.net', { 'a.txt': 'of the other' })
    machine.link(acme.uid, theirs, join(docroot, 'stolen'))
    await choose({ root: 'stolen' })

    expect((await ask(host, '/a.txt')).body).not.toContain('of the other')
    expect((await ask(host, '/a.txt')).status).toBe(404)
  })

  it('that is not there answers 404, and nothing of the site', async () => {
    await choose({ root: 'missing/dir' })

    expect((await ask(host, '/a.txt')).status).toBe(404)
    expect((await ask(host, '/')).status).toBe(404)
  })

  it('touches no other site', async () => {
    expect((await ask(plain, '/a.txt')).body).toBe('of the plain site')
    expect(JSON.parse((await ask(plain, '/pretty/address')).body)[0]).toBe('index.php')
  })
})

describe('the front controller', () => {
  it('answers for every address without a file, as deep as it may be', async () => {
    machine.write(acme, join(docroot, 'app.php'), tell)
    machine.write(acme, join(docroot, 'blog/index.php'), tell)
    await choose({ front: '/app.php' })

    for (const path of ['/x', '/blog/x', '/a/b/c/d/e/f', '/blog.phtml'])
      expect(JSON.parse((await ask(host, path)).body).slice(0, 2)).toEqual(['app.php', path])
    expect((await ask(host, '/a.txt')).body).toBe('of the site')
    expect(JSON.parse((await ask(host, '/blog/')).body)[0]).toBe('index.php')
  })

  it('is none where it is off', async () => {
    await choose({ front: 'off' })

    expect((await ask(host, '/x')).status).toBe(404)
    expect(JSON.parse((await ask(host, '/')).body)[0]).toBe('index.php')
  })

  it('that is not there is a plain 404', async () => {
    await choose({ front: '/missing.php' })

    expect((await ask(host, '/x')).status).toBe(404)
  })
})

describe('maintenance', () => {
  beforeAll(() => choose({ maintenance: true }))

  it('is a page of ours, not to be remembered, with the time to come back', async () => {
    const answer = await ask(host, '/a.txt')

    expect(answer.body).toContain('back soon')
    expect([answer.status, answer.headers['retry-after'], answer.headers['cache-control']]).toEqual([
      503,
      '600',
      'no-store',
    ])
    expect((await ask(host, '/index.php', { method: 'POST', body: Buffer.from('a=b') })).status).toBe(503)
  })

  it('is the page of the site where it has one, and no page of others', async () => {
    machine.write(acme, join(docroot, 'maintenance.html'), 'our own page')
    expect(await ask(host, '/')).toMatchObject({ status: 503, body: 'our own page' })

    rmSync(join(docroot, 'maintenance.html'))
    machine.link(acme.uid, '/etc/passwd', join(docroot, 'maintenance.html'))
    const { status, body } = await ask(host, '/')
    rmSync(join(docroot, 'maintenance.html'))

    expect([status, body.includes('root:')]).toEqual([503, false])
  })

  it('answers what authorities look for', async () => {
    expect(await ask(host, challenge)).toMatchObject({ status: 200, body: 'own proof' })
  })

  it('gives way to the word that the site is suspended', async () => {
    const live = join(machine.places.web.hosts, host, 'live')
    rmSync(live)
    const { body } = await ask(host, '/')
    symlinkSync('../../live', live)

    expect(body).toContain('paused')
  })
})

describe('the canonical name', () => {
  beforeAll(() => choose({ canonical: host }))

  it('is where visitors of the other names are sent, with all they asked for', async () => {
    expect(to(await ask(alias, '/a%20b/?q=1&r=%2F'))).toEqual([308, `${origin}/a%20b/?q=1&r=%2F`])
    expect((await ask(host, '/a.txt')).body).toBe('of the site')
  })

  it('keeps authorities where they are', async () => {
    expect((await ask(alias, challenge)).body).toBe('own proof')
  })
})

describe('redirects', () => {
  const one = (from: string, target: string, code: number, isPrefix = false) => ({ from, to: target, code, isPrefix })
  beforeAll(() =>
    choose({
      redirects: [
        one('/old', '/new', 301),
        one('/caf\u00e9 1', 'https://example.org/coffee', 302),
        one('/with-query', 'https://example.org/?a=1', 307),
        one('/docs', 'https://docs.example.org/', 308, true),
        one('/docs/api/v1', '/api', 302, true),
        one('/home', '/', 301, true),
        one('/.well-known/acme-challenge', 'https://example.org', 301, true),
      ],
    }),
  )

  it.each([
    ['/old', 301, '/new'],
    ['/old?x=%2F&y', 301, '/new?x=%2F&y'],
    ['/OLD', 301, '/new'],
    ['/caf%C3%A9%201', 302, 'https://example.org/coffee'],
    ['/with-query?x=1', 307, 'https://example.org/?a=1'],
    ['/docs', 308, 'https://docs.example.org'],
    ['/docs/', 308, 'https://docs.example.org/'],
    ['/docs/a/b%20c?x=1', 308, 'https://docs.example.org/a/b%20c?x=1'],
    ['/docs/api/v1/users?x', 302, '/api/users?x'],
    ['/docs/api', 308, 'https://docs.example.org/api'],
    ['/home//evil.example.net/x', 301, '//evil.example.net/x'],
    ['/docs/%0d%0aSet-Cookie:%20a=b', 308, 'https://docs.example.org/%0d%0aSet-Cookie:%20a=b'],
  ])('%s is sent on: %i %s', async (path, status, target) => {
    const absolute = target.startsWith('/') ? `${origin}${target}` : target

    expect(to(await ask(host, path))).toEqual([status, absolute])
    expect((await ask(alias, path)).status).toBe(status)
  })

  it.each(['/older', '/old/x', '/documents', '/a.txt'])('%s is not', async (path) => {
    expect((await ask(host, path)).status).toBe(200)
  })

  it('leave alone what authorities look for, and other sites', async () => {
    expect((await ask(host, challenge)).body).toBe('own proof')
    expect((await ask(plain, '/old')).status).toBe(200)
  })

  it('go when nothing is chosen any more, and leave no file', async () => {
    await choose({})

    expect((await ask(host, '/old')).status).toBe(200)
    expect(machine.accessLog().length).toBeGreaterThan(0)
  })
})

describe('directories', () => {
  beforeAll(async () => {
    for (const path of ['data/pages/x.txt', 'conf/a/b/c/deep.txt', 'open/a.txt'])
      machine.write(acme, join(docroot, path), 'text')
    for (const path of [
      'uploads/a.php',
      'uploads/2026/b.php',
      'uploads/index.php',
      'data/c.php',
      'media/a.php',
      'tools/a.php',
    ])
      machine.write(acme, join(docroot, path), tell)
    await choose({ closed: ['/data', '/conf/a/b/c'], withoutPhp: ['/uploads', '/media', '/data'] })
  })

  it.each(['/data', '/data/', '/data/pages/x.txt', '/DATA/pages/x.txt', '/%64ata/pages/x.txt', '//data/pages/x.txt'])(
    'that are closed answer 404: %s',
    async (path) => {
      expect((await ask(host, path)).status).toBe(404)
      expect((await ask(alias, path)).status).toBe(404)
    },
  )

  it.each(['/open/../data/c.php', '/data/c.php/x', '/data/none/at/all', '/conf/a/b/c/deep.txt'])(
    'that are closed are so by every way: %s',
    async (path) => {
      expect((await ask(host, path)).status).toBe(404)
    },
  )

  it.each([
    '/uploads/a.php',
    '/uploads/a.php/x?y',
    '/uploads/2026/b.php',
    '/uploads/',
    '/upl%6fads/a.php',
    '/media/a.php',
  ])('run no script: %s', async (path) => {
    const { status, body } = await ask(host, path)

    expect([status, body.includes('index.php'), body.includes('<?php')]).toEqual([403, false, false])
  })

  it('that run no script still lead to the front controller above them, and others run', async () => {
    rmSync(join(docroot, 'uploads/index.php'))

    expect(JSON.parse((await ask(host, '/uploads/missing.jpg')).body)[0]).toBe('index.php')
    expect(JSON.parse((await ask(host, '/tools/a.php')).body)[0]).toBe('a.php')
    expect((await ask(host, '/open/a.txt')).body).toBe('text')
  })

  it('that are closed keep no proof from an authority', async () => {
    await choose({ closed: ['/.well-known', '/data'].slice(1) })

    expect((await ask(host, challenge)).body).toBe('own proof')
  })
})

describe('answers', () => {
  beforeAll(async () => {
    machine.write(acme, join(docroot, 'a.css'), 'body {}')
    machine.write(acme, join(docroot, 'page.html'), 'page')
    machine.write(acme, join(docroot, 'oops.html'), 'nothing here')
    machine.write(
      acme,
      join(docroot, 'says.php'),
      '<?php header("X-Frame-Options: DENY"); http_response_code(404); echo "its own";',
    )
    const headers = [
      { name: 'x-frame-options', value: 'SAMEORIGIN' },
      { name: 'content-security-policy', value: `default-src 'self'; img-src "x" https:` },
    ]
    await choose({ missing: '/oops.html', cache: 'week', headers, front: 'off' })
  })

  it('are kept by browsers as long as was chosen, but for pages', async () => {
    expect((await ask(host, '/a.css')).headers['cache-control']).toBe('max-age=604800')
    for (const path of ['/page.html', '/a.txt', '/says.php'])
      expect((await ask(host, path)).headers).not.toHaveProperty('cache-control')
    expect((await ask(plain, '/a.txt')).headers).not.toHaveProperty('x-frame-options')
  })

  it.each(['/a.css', '/none', '/', '/oops.html'])('have the headers that were chosen: %s', async (path) => {
    const { headers } = await ask(host, path)

    expect([headers['x-frame-options'], headers['content-security-policy']]).toEqual([
      'SAMEORIGIN',
      `default-src 'self'; img-src "x" https:`,
    ])
  })

  it('have once what the application says itself', async () => {
    const { headers, body } = await ask(host, '/says.php')

    expect([headers['x-frame-options'], headers['content-security-policy'] !== undefined, body]).toEqual([
      'DENY',
      true,
      'its own',
    ])
  })

  it('are the page of the site where nothing is found', async () => {
    for (const path of ['/none', '/none.php', '/none/', '/.env', '/a.phtml'])
      expect(await ask(host, path)).toMatchObject({ status: 404, body: 'nothing here' })
    expect((await ask(host, '/none.php', { method: 'POST', body: Buffer.from('a=b') })).status).toBe(404)

    rmSync(join(docroot, 'oops.html'))
    machine.link(acme.uid, '/etc/passwd', join(docroot, 'oops.html'))
    const { status, body } = await ask(host, '/none')
    expect([status, body.includes('root:')]).toEqual([404, false])
    await choose({})
  })
})

it('what nginx refuses for another reason is told, and the web server goes on with what it had', async () => {
  const foreign = join(machine.root, 'etc/nginx/foreign.conf')
  const config = readFileSync(machine.places.nginxConfig, 'utf8')
  mkdirSync(join(machine.root, 'etc/nginx'), { recursive: true })
  writeFileSync(foreign, 'nonsense;')
  writeFileSync(machine.places.nginxConfig, config.replace('http {', `http {\n include ${foreign};`))

  await expect(choose({ maintenance: true })).rejects.toThrow(/nonsense/)
  expect((await ask(host, '/a.txt')).status).toBe(200)

  writeFileSync(machine.places.nginxConfig, config)
  await choose({})
})
