/** What an owner chooses for PHP of a site: real nginx, real PHP, three sites of which one PHP serves all. */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { refusedByPhp } from '../../src/agent/os/php-check.ts'
import type { FpmStart } from '../../src/agent/os/services.ts'
import { directivesToTry } from '../../src/agent/render/php-options.ts'
import { PhpOptions } from '../../src/contract/php-options.ts'
import { ask, php, WebMachine } from './web-machine.ts'

const shop = 'shop.example.com'
const alias = 'www.shop.example.com'
const blog = 'blog.example.com'
const plain = 'plain.example.com'

const tell = `<?php
if (isset($_GET['try'])) {
  ini_set('memory_limit', '999M'); set_time_limit(99); ini_set('display_errors', '1'); error_reporting(1);
  ini_set('session.save_path', '/dev/shm'); ini_set('opcache.jit', 'off');
}
if (isset($_GET['session'])) { session_id($_GET['session']); session_start(); $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1; }
$opcache = opcache_get_status(false);
echo json_encode(['memory' => ini_get('memory_limit'), 'upload' => ini_get('upload_max_filesize'),
  'seconds' => ini_get('max_execution_time'), 'vars' => ini_get('max_input_vars'), 'zone' => date_default_timezone_get(),
  'shows' => ini_get('display_errors'), 'level' => error_reporting(), 'opcache' => $opcache['opcache_enabled'] ?? false,
  'jit' => $opcache['jit']['on'] ?? false, 'sessions' => ini_get('session.save_path'), 'master' => posix_getppid(),
  'fields' => count($_POST), 'file' => $_FILES['f']['error'] ?? null, 'n' => $_SESSION['n'] ?? null]);`

const ordinary = {
  ...{ memory: '256M', upload: '128M', seconds: '30', vars: '1000', zone: 'UTC', shows: '' },
  ...{ opcache: true, jit: false, sessions: '/tmp', fields: 0, file: null, n: null },
}

let machine: WebMachine
let acme: FpmStart
let docroot: string

beforeAll(async () => {
  machine = await WebMachine.boot()
  acme = machine.addTenant('acme', 21_001)
  docroot = machine.addSite(acme, shop, {
    'index.php': tell,
    'hungry.php': `<?php str_repeat('x', 70 << 20); echo 'fed';`,
  })
  machine.addAlias(acme, alias, shop)
  machine.addSite(acme, blog, { 'index.php': tell })
  machine.addSite(acme, plain, { 'index.php': tell })
})

afterAll(async () => {
  await machine?.shutDown()
})

beforeEach(async () => {
  for (const [host, aliases] of [
    [shop, [alias]],
    [blog, []],
  ] as const)
    await machine.choosePhp(acme, host, undefined, aliases)
})

const choose = (options: object | undefined) => machine.choosePhp(acme, shop, options, [alias])

async function told(host: string, path = '/', form?: { type: string; body: string }) {
  const more = form && { method: 'POST', headers: { 'Content-Type': form.type }, body: Buffer.from(form.body) }
  const { status, body } = await ask(host, path, more)
  return status === 200 ? JSON.parse(body) : { status, body }
}

const upload = (bytes: number) => ({
  type: 'multipart/form-data; boundary=B',
  body: `--B\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n${'y'.repeat(bytes)}\r\n--B--\r\n`,
})

it('is in force under every name of the site, whatever the script says, and never for another site of the same PHP', async () => {
  await choose({
    memoryMb: 96,
    uploadMb: 2,
    seconds: 12,
    inputVars: 100,
    timezone: 'Europe/Vienna',
    errorLevel: 'errors',
  })
  const chosen = { memory: '96M', upload: '2M', seconds: '12', vars: '100', zone: 'Europe/Vienna', level: 4437 }
  const masters = new Set<number>()

  for (let turn = 0; turn < 12; turn++) {
    for (const name of [shop, alias]) {
      const seen = await told(name, turn % 3 === 0 ? '/?try' : '/')
      expect(seen).toMatchObject({ ...chosen, ...(turn % 3 === 0 && { level: 1 }) })
      masters.add(seen.master)
    }
    for (const name of [blog, plain]) {
      const seen = await told(name)
      expect(seen).toMatchObject(ordinary)
      masters.add(seen.master)
    }
  }
  expect(masters.size).toBe(1)
})

it('holds against .user.ini of the tenant, which says the rest', async () => {
  await choose({ memoryMb: 96, timezone: 'Europe/Vienna' })
  const own = 'memory_limit = 999M\ndate.timezone = Asia/Tokyo\nmax_input_vars = 77\n'
  machine.write(acme, join(docroot, '.user.ini'), own)
  const seen = await told(shop)
  rmSync(join(docroot, '.user.ini'))

  expect(seen).toMatchObject({ memory: '96M', zone: 'Europe/Vienna', vars: '77' })
})

it('ends what takes more memory, and what takes too large an upload or too many fields', async () => {
  expect((await ask(shop, '/hungry.php')).body).toBe('fed')
  await choose({ memoryMb: 64, uploadMb: 1, inputVars: 100 })

  expect((await ask(shop, '/hungry.php')).status).toBe(500)
  expect(await told(shop, '/', upload(900_000))).toMatchObject({ file: 0 })
  expect(await told(shop, '/', upload(2_000_000))).toMatchObject({ file: null })
  expect(await told(blog, '/', upload(2_000_000))).toMatchObject({ file: 0 })
  const type = 'application/x-www-form-urlencoded'
  const body = Array.from({ length: 200 }, (_, n) => `k${n}=1`).join('&')
  expect((await told(shop, '/', { type, body })).fields).toBeLessThanOrEqual(101)
  expect(await told(blog, '/', { type, body })).toMatchObject({ fields: 200 })
})

it('has opcache off and JIT on for one site each, of the same PHP', async () => {
  await choose({ withoutOpcache: true })
  await machine.choosePhp(acme, blog, { jit: true })

  for (let turn = 0; turn < 4; turn++) {
    expect(await told(shop)).toMatchObject({ opcache: false, jit: false })
    expect(await told(blog)).toMatchObject({ opcache: true, jit: true })
    expect(await told(plain)).toMatchObject({ opcache: true, jit: false })
  }
})

it('keeps sessions apart, in a directory of the site that no visitor reaches', async () => {
  await choose({ ownSessions: true })
  const id = 'a'.repeat(26)
  const own = join(dirname(docroot), 'sessions')

  expect(await told(shop, `/?session=${id}`)).toMatchObject({ n: 1, sessions: own })
  expect(await told(alias, `/?session=${id}&try`)).toMatchObject({ n: 2 })
  expect(await told(blog, `/?session=${id}`)).toMatchObject({ n: 1, sessions: '/tmp' })
  expect(readdirSync(own)).toEqual([`sess_${id}`])
  for (const path of [`/sessions/sess_${id}`, `/../sessions/sess_${id}`])
    expect((await ask(shop, path)).body).not.toContain('n|i')
})

it('costs nothing where none is chosen, and is gone with the choice', async () => {
  const fresh = machine.addTenant('fresh', 21_004)
  machine.addSite(fresh, 'fresh.example.com', { 'index.php': tell })
  expect(await told('fresh.example.com')).toMatchObject(ordinary)
  const [master = 0] = machine.processesOf(fresh.uid)
  expect(readFileSync(`/proc/${master}/environ`, 'utf8')).not.toContain('PHP_INI_SCAN_DIR')
  expect(existsSync(machine.places.web.phpOptions(fresh.name))).toBe(false)

  await choose({ memoryMb: 96, showsErrors: true })
  expect(await told(shop)).toMatchObject({ memory: '96M', shows: '1' })
  await choose(undefined)
  expect(await told(shop)).toMatchObject(ordinary)
})

it('changes while visitors come, without one failed request', async () => {
  let isOver = false
  const statuses = new Set<number>()
  const visitors = [shop, blog, alias].map(async (name) => {
    while (!isOver) statuses.add((await ask(name, '/')).status)
  })
  for (const memoryMb of [64, 128, 96]) {
    await choose({ memoryMb })
    await sleep(300)
    expect(await told(shop)).toMatchObject({ memory: `${memoryMb}M` })
  }
  isOver = true
  await Promise.all(visitors)

  expect([...statuses]).toEqual([200])
})

it('is asked of PHP itself, which says why it refuses a value', async () => {
  const asked = (options: object) => refusedByPhp(php, acme, directivesToTry(PhpOptions.parse(options)))
  const all = { memoryMb: 64, uploadMb: 3, seconds: 4, inputVars: 200, timezone: 'America/Argentina/Buenos_Aires' }

  expect(await asked({ ...all, showsErrors: true, errorLevel: 'all', jit: true })).toBeUndefined()
  expect(await asked({ withoutOpcache: true })).toBeUndefined()
  expect(await asked({ timezone: 'Europe/Atlantis' })).toContain("Invalid date.timezone value 'Europe/Atlantis'")
  expect(await refusedByPhp(php, acme, { memory_limit: '1M' })).toContain('Failed to set memory limit')
  expect(await refusedByPhp(php, acme, { 'no.such_setting': '1' })).toBe('it has no setting "no.such_setting"')
})
