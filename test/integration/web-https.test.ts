/** A site with a certificate of its own: who comes over HTTP is sent to HTTPS, and browsers are told to remember it. */
import { execFile } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { FpmStart } from '../../src/agent/os/services.ts'
import { type Answer, ask, httpsPort, WebMachine } from './web-machine.ts'

const host = 'shop.example.com'
const alias = 'www.example.net'
const token = 'evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA'

let machine: WebMachine
let acme: FpmStart
let site: string

beforeAll(async () => {
  machine = await WebMachine.boot()
  acme = machine.addTenant('acme', 21_001)
  const docroot = machine.addSite(acme, host, {
    'index.php': '<?php echo $_SERVER["REQUEST_METHOD"], " ", $_SERVER["REQUEST_URI"];',
    'a.txt': 'plain text',
  })
  machine.write(acme, join(docroot, '.well-known/acme-challenge', token), 'own proof')
  machine.addAlias(acme, alias, host)
  site = join(machine.places.web.hosts, host)
})

beforeEach(() => certified([`redirect/${host}`]))

afterAll(async () => {
  await machine?.shutDown()
})

describe('who comes over HTTP', () => {
  it.each(['GET', 'POST'])('is sent to the same address over HTTPS, with %s', async (method) => {
    const answer = await ask(host, '/a%20b/?q=1&r=%2F', { method })

    expect([answer.status, answer.headers.location]).toEqual([308, `https://${host}:${httpsPort}/a%20b/?q=1&r=%2F`])
    expect(answer.headers).not.toHaveProperty('strict-transport-security')
  })

  it('gets the site under a name that the certificate does not bear', async () => {
    expect(await ask(alias, '/a.txt')).toMatchObject({ status: 200, body: 'plain text' })
  })

  it('gets what an authority looks for', async () => {
    const answers = [token, 'short'].map((name) => ask(host, `/.well-known/acme-challenge/${name}`))

    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 404])
  })

  it('gets the site while the certificate signs itself, whatever is chosen for its own', async () => {
    swapped('tls', machine.places.web.defaultTls)

    expect(await ask(host, '/a.txt')).toMatchObject({ status: 200, body: 'plain text' })
    expect((await overTls('/a.txt')).headers).not.toHaveProperty('strict-transport-security')
  })

  it('is told at once that the site is suspended', async () => {
    rmSync(join(site, 'live'))
    const { status } = await ask(host, '/a.txt')
    symlinkSync('../../live', join(site, 'live'))

    expect(status).toBe(503)
  })
})

describe('who comes over HTTPS', () => {
  it.each([
    ['nothing', [], undefined],
    ['a day', ['hsts-day'], 'max-age=86400'],
    ['a year', ['hsts-day', 'hsts-year'], 'max-age=31536000'],
    [
      'a year, with the names below',
      ['hsts-day', 'hsts-year', 'hsts-subdomains'],
      'max-age=31536000; includeSubDomains',
    ],
  ])('is asked to remember %s', async (_, markers, header) => {
    certified([`redirect/${host}`, ...markers])

    const answers = await Promise.all(['/a.txt', '/', '/x.php', '/.env'].map(overTls))

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 404, 404])
    for (const { headers } of answers) expect(headers['strict-transport-security']).toBe(header)
    rmSync(join(site, 'live'))
    const closed = await overTls('/')
    symlinkSync('../../live', join(site, 'live'))
    expect([closed.status, closed.headers['strict-transport-security']]).toEqual([503, header])
    expect((await ask(alias, '/a.txt')).headers).not.toHaveProperty('strict-transport-security')
  })
})

it('is configured without a warning of nginx, such as about names that are too long for its table', async () => {
  const { stderr } = await promisify(execFile)('/usr/sbin/nginx', ['-t', '-c', machine.places.nginxConfig])

  expect(stderr).toContain('test is successful')
  expect(stderr).not.toContain('[warn]')
})

/** As the root side leaves it, with these markers. */
function certified(markers: readonly string[]): void {
  const { defaultTls, keyFile, ownTls } = machine.places.web
  const own = join(site, ownTls)
  rmSync(own, { recursive: true, force: true })
  cpSync(defaultTls, own, { recursive: true })
  const { gid } = statSync(join(defaultTls, keyFile))
  chownSync(join(own, keyFile), 0, gid)
  mkdirSync(join(own, 'redirect'))
  for (const place of [own, join(own, 'redirect')]) {
    chownSync(place, 0, gid)
    chmodSync(place, 0o750)
  }
  for (const marker of markers) writeFileSync(join(own, marker), '')
  swapped('tls', ownTls)
}

function swapped(name: string, target: string): void {
  symlinkSync(target, join(site, `.${name}`))
  renameSync(join(site, `.${name}`), join(site, name))
}

function overTls(path: string): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const tls = { servername: host, rejectUnauthorized: false, agent: false }
  request({ host: '127.0.0.1', port: httpsPort, path, headers: { host }, ...tls }, async (response) => {
    let body = ''
    for await (const part of response) body += part
    resolve({ status: response.statusCode ?? 0, headers: response.headers, body })
  })
    .on('error', reject)
    .end()
  return promise
}
