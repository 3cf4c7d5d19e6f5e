/** WordPress from a job to its front page: by the real WP-CLI, MariaDB, PHP and web server, as the tenant. */
import { execFileSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import type { IncomingHttpHeaders } from 'node:http'
import { request } from 'node:https'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { databaseServers } from '../../src/agent/os/databases/servers.ts'
import type { Machine } from '../../src/agent/os/machine.ts'
import { type Fqdn, Id, type TenantName } from '../../src/contract/values.ts'
import { newId } from '../../src/store/new-id.ts'
import { Bench } from '../provisioners/bench.ts'
import { Mariadb } from '../support/mariadb.ts'
import { wordpressParts } from '../support/wordpress.ts'
import { ask, httpsPort, php, WebMachine, webGid } from './web-machine.ts'

const tenant = newId()
const domain = newId()
const name = 'acme' as TenantName
const host = 'shop.example.com' as Fqdn
const limits = { cpuPct: null, memMb: null, pids: null, ioMbps: null, diskMb: null }
const workersGid = Number(execFileSync('/usr/bin/id', ['-g', 'wcp360-web'], { encoding: 'utf8' }))
const parts = wordpressParts()
/** In the one place for sockets that tenants see. */
const run = mkdtempSync('/run/wcp-wordpress-')

let web: WebMachine
let bench: Bench
let server: Mariadb
let machine: Machine
let docroot: string
let installed: ReturnType<typeof wishes>

/** With the accounts of the real web server. */
class SiteBench extends Bench {
  override get preparation() {
    const { accounts, ...rest } = super.preparation
    return { ...rest, accounts: { ...accounts, webGid, workers: { name: 'wcp360-web', gid: workersGid } } }
  }
}

beforeAll(async () => {
  web = await WebMachine.boot()
  bench = new SiteBench(web.root)
  await bench.prepareEtc()
  await bench.prepare()
  const places = { ...web.places, mariadbSocket: join(run, 'mysqld.sock') }
  server = await Mariadb.start(places.mariadbSocket)
  const accounts = { ...bench.machine().accounts, webGid, workersGid }
  machine = { ...bench.machine(bench.files, web.services), places, databases: databaseServers(places), accounts }
  await start(machine)
  await bench.closeSetup()
  await done('tenant.create', { tenant, name, limits })
  await done('domain.create', { tenant, domain, fqdn: host, aliases: [], php })
  docroot = web.places.customers.docroot(name, host)
})

beforeEach(() => {
  copyFileSync(parts.wpCli, web.places.web.wpCli)
  copyFileSync(parts.wordpress, web.places.web.wordpress)
})

afterAll(async () => {
  await bench?.engine.close()
  await server?.stop()
  await web?.shutDown()
  rmSync(run, { recursive: true })
})

async function start(on: Machine): Promise<void> {
  await bench.start(on, { phpVersions: () => [php] })
}

async function done(type: string, payload: Record<string, unknown>): Promise<void> {
  expect(await bench.run(type, payload)).toMatchObject({ failure: null })
}

const title = `Ann's "shop" & $HOME \`id\``

function wishes() {
  const app = newId()
  const about = { tenant, app, domain, run: newId(), database: newId(), name: `wp_${app.slice(0, 8)}` }
  return { ...about, title, adminUser: 'ann', adminEmail: 'ann@example.com' }
}

const uid = () => lstatSync(docroot).uid
const databases = async () => (await server.ask("show databases like 'wp%'")).lines
const users = async () => (await server.ask("select user from mysql.global_priv where user like 'wp%'")).lines

/** All that an installation leaves behind beside the document root. */
const beside = () => readdirSync(join(docroot, '..')).toSorted()
const untouched = async () => ({
  beside: beside(),
  docroot: readdirSync(docroot),
  trash: readdirSync(web.places.customers.trash),
  databases: await databases(),
  users: await users(),
})
const nothing = { beside: ['public'], docroot: ['index.html'], trash: [], databases: [], users: [] }

it('says what is missing on the server, and how to bring it', async () => {
  rmSync(web.places.web.wpCli)

  expect((await bench.run('app.install', wishes())).failure).toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('wp-cli.phar'),
    help: expect.stringContaining('./install.sh --wp-cli'),
  })
})

it('refuses a document root that holds anything else, and changes nothing', async () => {
  writeFileSync(join(docroot, 'mine.txt'), 'mine')

  const { failure } = await bench.run('app.install', wishes())

  expect(failure?.message).toMatch(/document root is not empty: mine\.txt/)
  rmSync(join(docroot, 'mine.txt'))
  expect(await untouched()).toEqual(nothing)
})

it('takes everything back when WordPress cannot be set up', async () => {
  writeFileSync(web.places.web.wordpress, 'no archive')

  const { failure } = await bench.run('app.install', wishes())

  expect(failure?.message).toMatch(/Cannot unpack WordPress: .*/)
  expect(await untouched()).toEqual(nothing)
})

it('installs WordPress, whose first page is served, and a link to the first password', async () => {
  const wanted = wishes()
  installed = wanted
  await done('app.install', wanted)

  await web.services.startFpm({ name, uid: uid(), gid: uid(), php, limits })
  const front = await ask(host, '/', { headers: { 'X-Forwarded-Proto': 'https' } })
  expect(front.status).toBe(200)
  expect(front.body).toContain('<title>Ann&#039;s &quot;shop&quot; &amp; $HOME `id`</title>')
  expect((await ask(host, '/hello-world/')).body).toContain('Hello world!')
  expect((await ask(host, '/wp-config.php')).body).toBe('')

  const config = lstatSync(join(docroot, 'wp-config.php'))
  expect([config.mode & 0o7777, config.uid]).toEqual([0o400, uid()])
  expect(lstatSync(join(docroot, 'wp-login.php')).uid).toBe(uid())
  expect(beside()).toEqual([`.former-${wanted.app}`, 'public'])
  expect(readdirSync(web.places.customers.trash)).toEqual([])
  expect((await bench.ask({ t: 'inspect', what: 'drift' })).value).toEqual([])

  const row = await server.ask(
    `select option_value from ${wanted.name}.wp_options where option_name in ('siteurl', 'home')`,
  )
  expect(row.lines).toEqual([`https://${host}`, `https://${host}`])

  const link = await linkFor('ann', wanted.app)
  expect(link).toMatch(/^https:\/\/shop\.example\.com\/wp-login\.php\?action=rp&key=[A-Za-z0-9]{20}&login=ann\n$/)
  const opened = await ask(host, link.trim().slice(`https://${host}`.length))
  expect(opened.status).toBe(302) // WordPress keeps the key in a cookie and asks for the password
})

it('signs in by a link, once, as the user it was made for', async () => {
  const link = await linkFor('ann', installed.app, 'app.login-link')
  expect(link).toMatch(/^https:\/\/shop\.example\.com\/wp-login\.php\?wcp360_login=[0-9a-f]{64}\n$/)
  const path = link.trim().slice(`https://${host}`.length)

  const opened = await askSecurely(path)
  expect([opened.status, opened.headers.location]).toEqual([302, `https://${host}/wp-admin/`])
  const cookies = opened.headers['set-cookie']?.map((one) => one.split(';')[0]).join('; ') ?? ''
  expect(cookies).toMatch(/wordpress_logged_in_[0-9a-f]+=ann%7C/)
  const dashboard = await askSecurely('/wp-admin/', { cookie: cookies })
  expect([dashboard.status, dashboard.text.includes('Howdy, <span class="display-name">ann</span>')]).toEqual([
    200,
    true,
  ])

  const again = await askSecurely(path)
  expect(again.status).toBe(403)
  expect(again.text).toContain('This link was used before')
  expect(String(again.headers['set-cookie'])).not.toContain('wordpress_logged_in')
})

it('lets nobody in by a link whose time is over, or that nobody made, and keeps no old ones', async () => {
  const kept = `${installed.name}.wp_options where option_name like 'wcp360\\_login\\_%'`
  const link = await linkFor('ann', installed.app, 'app.login-link')
  await server.ask(`update ${kept.replace(' where', " set option_value = replace(option_value, 'i:1', 'i:0') where")}`)

  expect((await askSecurely(link.trim().slice(`https://${host}`.length))).status).toBe(403)
  expect((await askSecurely(`/wp-login.php?wcp360_login=${'0'.repeat(64)}`)).status).toBe(403)
  expect((await askSecurely('/wp-login.php?wcp360_login[]=0')).status).toBe(200)

  await linkFor('ann', installed.app, 'app.login-link')
  expect((await server.ask(`select count(*) from ${kept}`)).lines).toEqual(['1'])
})

it('is one site when the same is asked for again, and keeps what has been written since', async () => {
  writeFileSync(join(docroot, 'since.txt'), 'since')

  await done('app.install', { ...installed, run: newId() })

  expect(readFileSync(join(docroot, 'since.txt'), 'utf8')).toBe('since')
  expect(await databases()).toHaveLength(1)
})

it('keeps passwords out of the registry, the journal, the logs and the output of its commands', async () => {
  const config = readFileSync(join(docroot, 'wp-config.php'), 'utf8')
  const secrets = [...config.matchAll(/'((?:[A-Za-z0-9_-]){43})'/g)].map(([, text]) => text ?? '')
  expect(secrets).toHaveLength(9)

  const places = [web.places.agentState, web.places.logs, web.places.runsRun]
  for (const secret of secrets) {
    const found = places.filter((place) => existsSync(place)).filter((place) => holds(place, secret))
    expect(found).toEqual([])
  }
  expect(JSON.stringify([bench.messages, bench.log])).not.toContain(secrets[0])
})

it('tells whose name WordPress does not know', async () => {
  const { failure } = await bench.run('app.reset-link', { tenant, app: newId(), domain, run: newId(), user: 'nobody' })

  expect(failure?.message).toMatch(/Cannot make a link to a new password: Error: there is no user of this name/)
})

async function linkFor(user: string, app: string, type = 'app.reset-link'): Promise<string> {
  const run = Id.parse(newId())
  const job = newId()
  bench.engine.handle(bench.job(type, { tenant, app, domain, run, user }, { job }))
  expect(await bench.ended(job)).toMatchObject({ failure: null })
  const { value } = await bench.ask({ t: 'output', job, after: 0 })
  return (value as { text: string }).text
}

function askSecurely(path: string, headers: Record<string, string> = {}) {
  return new Promise<{ status: number | undefined; headers: IncomingHttpHeaders; text: string }>((resolve, reject) => {
    const where = { host: '127.0.0.1', port: httpsPort, servername: host, rejectUnauthorized: false }
    request({ ...where, path, headers: { host, ...headers } }, async (response) => {
      resolve({ status: response.statusCode, headers: response.headers, text: await text(response) })
    })
      .on('error', reject)
      .end()
  })
}

function holds(place: string, text: string): boolean {
  try {
    execFileSync('/usr/bin/grep', ['-rqF', '--', text, place])
    return true
  } catch {
    return false
  }
}
