import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { connect as connectHttp2 } from 'node:http2'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ceilingOf } from '../../src/agent/os/ceiling.ts'
import { openDirectServices } from '../../src/agent/os/direct-services.ts'
import { foreignEgress } from '../../src/agent/os/egress.ts'
import type { FpmStart } from '../../src/agent/os/services.ts'
import { IdleReaper } from '../../src/agent/wake/wake-reaper.ts'
import { ask, httpPort, httpsPort, php, until, WebMachine, webGid, workersUid } from './web-machine.ts'

const host = 'acme.example.com'
const echo = `<?php
if ($_SERVER['REQUEST_METHOD'] === 'POST') { echo strlen(file_get_contents('php://input')), ' ', md5_file('php://input'); exit; }
echo json_encode(['uid' => posix_geteuid(), 'script' => $_SERVER['SCRIPT_NAME'], 'info' => $_SERVER['PATH_INFO'] ?? null,
  'uri' => $_SERVER['REQUEST_URI'], 'query' => $_SERVER['QUERY_STRING'], 'host' => $_SERVER['SERVER_NAME'], 'https' => $_SERVER['HTTPS'] ?? null,
  'proxy' => getenv('HTTP_PROXY') ?: ($_SERVER['HTTP_PROXY'] ?? null), 'file' => $_SERVER['SCRIPT_FILENAME']]);`

let machine: WebMachine
let acme: FpmStart
let other: FpmStart
let docroot: string
/** Lines of nginx's error log that a test has brought about on purpose; any other line fails the suite. */
const expectedErrors: RegExp[] = []

beforeAll(async () => {
  machine = await WebMachine.boot()
  acme = machine.addTenant('acme', 21_001)
  other = machine.addTenant('other', 21_002)
  docroot = machine.addSite(acme, host, {
    'index.php': echo,
    'doku.php': echo,
    'a.txt': 'plain text',
    'sub/index.html': '<p>sub</p>',
    'sub/deep.txt': 'deep',
    '.env': 'SECRET=1',
    '.well-known/security.txt': 'Contact: x',
  })
  machine.addSite(other, 'other.example.net', { 'index.php': echo, 'secret.txt': 'secret of other' })
})

afterAll(async () => {
  if (!machine) return
  await machine.endWebLog()
  const lines = machine.errorLog().split('\n').filter(Boolean)
  const unexpected = lines.filter((line) => !expectedErrors.some((known) => known.test(line)))
  await machine.shutDown()
  expect(unexpected).toEqual([])
  expect([...machine.processesOf(acme.uid), ...machine.processesOf(other.uid)]).toEqual([])
})

beforeEach(() => {
  machine.starts.length = 0
})

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
  } catch {
    return '' // it has just ended
  }
}

async function sleepAcme(): Promise<void> {
  await machine.services.stopFpm(acme.name)
}

describe('a cold site', () => {
  beforeEach(sleepAcme)

  it('answers its first request, and the tenant had no process before', async () => {
    expect(machine.processesOf(acme.uid)).toEqual([])

    const answer = await ask(host, '/')

    expect(answer.status).toBe(200)
    expect(JSON.parse(answer.body)).toMatchObject({ uid: acme.uid, script: '/index.php', uri: '/', host })
    expect(machine.processesOf(acme.uid).length).toBeGreaterThan(0)
  })

  it('gets a body of 3 MB intact', async () => {
    const body = randomBytes(3_000_000)
    const { createHash } = await import('node:crypto')

    const answer = await ask(host, '/index.php', { method: 'POST', body })

    expect(answer.body).toBe(`3000000 ${createHash('md5').update(body).digest('hex')}`)
  })

  it('answers 50 requests at once after one start', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => ask(host, `/index.php?n=${index}`)))

    expect(answers.map((answer) => answer.status)).toEqual(Array(50).fill(200))
    expect(answers.map((answer) => JSON.parse(answer.body).query)).toEqual(answers.map((_, index) => `n=${index}`))
    expect(machine.starts).toEqual(['acme'])
  })

  it('serves static files without waking PHP', async () => {
    expect((await ask(host, '/a.txt')).body).toBe('plain text')
    expect(machine.starts).toEqual([])
    expect(machine.processesOf(acme.uid)).toEqual([])
  })

  it('serves what an older version made, and what the web server may read by group alone', async () => {
    const older = machine.addSite(acme, 'older.example.com', {
      'a.txt': 'by group',
      'index.php': '<?php echo "older";',
    })
    chmodSync(older, 0o2750)
    for (const file of ['a.txt', 'index.php']) chmodSync(join(older, file), 0o640)

    expect((await ask('older.example.com', '/a.txt')).body).toBe('by group')
    expect((await ask('older.example.com', '/')).body).toBe('older')
  })

  it('goes on serving when the tenant gives its files another group', async () => {
    const own = machine.addSite(acme, 'own.example.com', { 'a.txt': 'still', 'sub/a.txt': 'served', 'index.php': '' })
    execFileSync('chown', ['-R', `${acme.uid}:${acme.gid}`, own])

    expect((await ask('own.example.com', '/a.txt')).body).toBe('still')
    expect((await ask('own.example.com', '/sub/a.txt')).body).toBe('served')
    expect((await ask('own.example.com', '/')).status).toBe(200)
  })

  it('waits for an agent that is being restarted', async () => {
    machine.disconnectAgent()

    const answer = ask(host, '/')
    await sleep(300)
    machine.connectAgent()

    expect((await answer).status).toBe(200)
  })

  it('says 503 and when to come again while the waker is away, and recovers', async () => {
    expectedErrors.push(/wake\.sock failed \((2: No such file|111: Connection refused)/)
    await machine.killWaker()

    const answer = await ask(host, '/')
    expect(answer.status).toBe(503)
    expect(answer.headers['retry-after']).toBe('5')

    await machine.startWaker()
    await until(async () => (await ask(host, '/')).status === 200)
  })
})

describe('routing of a site', () => {
  it.each([
    ['/sub/', 200, '<p>sub</p>'],
    ['/sub/deep.txt', 200, 'deep'],
    ['/.well-known/security.txt', 200, 'Contact: x'],
    ['/.env', 404, undefined],
    ['/sub/.git/config', 404, undefined],
    ['/missing.php', 404, undefined],
    ['/missing.php/x', 404, undefined],
    ['/a.txt/x.php', 404, undefined],
    ['/%2e%2e/%2e%2e/secret.txt', 400, undefined],
  ])('%s → %i', async (path, status, body) => {
    const answer = await ask(host, path)

    expect(answer.status).toBe(status)
    if (body !== undefined) expect(answer.body).toBe(body)
  })

  it.each([
    ['/doku.php/start/page', { script: '/doku.php', info: '/start/page' }],
    ['/index.php/foo.php/bar', { script: '/index.php', info: '/foo.php/bar' }],
    ['/a/pretty/link?x=1', { script: '/index.php', uri: '/a/pretty/link?x=1', query: 'x=1' }],
    ['/index.php?q=a%20b', { script: '/index.php', query: 'q=a%20b' }],
  ])('%s → PHP', async (path, seen) => {
    expect(JSON.parse((await ask(host, path)).body)).toMatchObject({ ...seen, uid: acme.uid })
  })

  it('sends a directory without its slash there, on the same host and port', async () => {
    expect(await ask(host, '/sub')).toMatchObject({ status: 301, headers: { location: '/sub/' } })
  })

  it('hides the Proxy header from PHP', async () => {
    expect(JSON.parse((await ask(host, '/', { headers: { Proxy: 'http://evil' } })).body).proxy).toBeNull()
  })

  it('passes the answers of the application untouched', async () => {
    machine.write(
      acme,
      join(docroot, 'status.php'),
      '<?php http_response_code((int) $_GET["c"]); header("X-Accel-Redirect: @wake"); echo "own";',
    )
    await ask(host, '/')

    for (const code of [404, 418, 419, 420, 500, 502, 503, 504]) {
      expect(await ask(host, `/status.php?c=${code}`)).toMatchObject({ status: code, body: 'own' })
    }
    expect(machine.starts).toHaveLength(machine.starts.length === 0 ? 0 : 1)
  })

  it('serves a host name of 200 characters through PHP', async () => {
    const long = `${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.example.com`
    machine.addSite(acme, long, { 'index.php': echo })

    expect(JSON.parse((await ask(long, '/')).body).host).toBe(long)
  })

  it('gives PHP one document root under every name, within which it lies', async () => {
    const tell = `<?php echo json_encode([$_SERVER['DOCUMENT_ROOT'] === dirname($_SERVER['SCRIPT_FILENAME']),
      realpath($_SERVER['DOCUMENT_ROOT']) === __DIR__, __DIR__, ini_get('memory_limit')]);`
    const root = machine.addSite(acme, 'tell.example.com', { 'tell.php': tell, '.user.ini': 'memory_limit = 77M' })
    machine.addAlias(acme, 'www.tell.example.com', 'tell.example.com')

    for (const name of ['tell.example.com', 'www.tell.example.com']) {
      expect(JSON.parse((await ask(name, '/tell.php')).body)).toEqual([true, true, root, '77M'])
    }
  })

  it('finds another site behind a name that was given away, once PHP was stopped', async () => {
    const page = (text: string) => ({
      'index.php': `<?php include __DIR__ . '/part.php';`,
      'part.php': `<?= '${text}';`,
    })
    machine.addSite(acme, 'one.shop.example', page('one'))
    machine.addSite(acme, 'two.shop.example', page('two'))
    machine.addAlias(acme, 'www.shop.example', 'one.shop.example')
    const seen = async () => (await ask('www.shop.example', '/')).body
    expect(await seen()).toBe('one')

    await sleepAcme() // as every job does that takes a name from a site
    machine.addAlias(acme, 'www.shop.example', 'two.shop.example')

    expect(await seen()).toBe('two')
  })

  it('neither runs nor shows PHP of a site without PHP, asleep or awake', async () => {
    machine.addSite(acme, 'static.example.com', { 'index.html': 'static', 'x.php': '<?php echo "ran";' }, false)
    await sleepAcme()
    expect((await ask('static.example.com', '/x.php')).status).toBe(404)

    await ask(host, '/')

    expect(await ask('static.example.com', '/x.php')).toMatchObject({ status: 404 })
    expect((await ask('static.example.com', '/')).body).toBe('static')
  })

  it('writes one line of JSON for each request', async () => {
    await ask(host, '/a.txt?mark=%22%0a', { headers: { 'User-Agent': 'x"\t\\ünï' } })

    const line = await until(() => machine.accessLog().findLast((text) => text.includes('mark=')))
    expect(JSON.parse(line)).toMatchObject({ host, status: 200, uri: '/a.txt?mark=%22%0a', method: 'GET' })
  })
})

describe('TLS', () => {
  it('serves HTTP/2 with the certificate of the site', async () => {
    const session = connectHttp2(`https://127.0.0.1:${httpsPort}`, { servername: host, rejectUnauthorized: false })
    const request = session.request({ ':path': '/', ':authority': host })
    let body = ''
    request.setEncoding('utf8').on('data', (chunk) => {
      body += chunk
    })
    await new Promise((resolve, reject) => request.on('end', resolve).on('error', reject))
    session.close()

    expect(JSON.parse(body)).toMatchObject({ https: 'on', host })
  })

  it.each([['unknown.example.org'], ['..'], ['a..b'], ['hosts'], ['']])(
    'shows no certificate to %j, and writes no line',
    async (servername) => {
      const refused = await new Promise<string>((resolve, reject) => {
        const socket = connectTls({ host: '127.0.0.1', port: httpsPort, servername, rejectUnauthorized: false })
        socket.on('secureConnect', () => reject(new Error('a handshake')))
        socket.on('error', (error) => resolve(error.message))
      })

      expect(refused).toMatch(/alert|ECONNRESET|disconnected/)
    },
  )
})

describe('hosts that are not served', () => {
  it.each([['unknown.example.org'], ['10.0.0.1'], ['localhost'], ['_'], ['..'], ['acme.example.com.evil']])(
    'closes the connection for %s',
    async (name) => {
      const bytes = await raw(`GET / HTTP/1.1\r\nHost: ${name}\r\n\r\n`)

      expect(bytes === '' || bytes.startsWith('HTTP/1.1 400')).toBe(true)
    },
  )

  it('closes the connection when no host is named', async () => {
    expect(await raw('GET / HTTP/1.0\r\n\r\n')).toBe('')
  })

  it('shows the page of a suspended tenant at once, for every path, and serves again at once', async () => {
    const live = machine.places.web.live(acme.name)
    unlinkSync(live)
    for (const path of ['/', '/a.txt', '/sub/', '/doku.php/x', '/.env']) {
      const answer = await ask(host, path)
      expect(answer.status).toBe(503)
      expect(answer.headers['retry-after']).toBe('3600')
      expect(answer.headers['content-type']).toBe('text/html')
      expect(answer.body).toContain('This site is paused')
    }
    expect((await ask(host, '/', { method: 'POST', body: Buffer.from('x') })).status).toBe(503)
    expect((await ask('other.example.net', '/')).status).toBe(200)
    writeFileSync(live, '')

    expect((await ask(host, '/')).status).toBe(200)
  })

  it('shows it for one suspended domain, whose own marker is gone', async () => {
    machine.addSite(acme, 'one.example.com', { 'index.php': echo })
    rmSync(join(machine.places.web.hosts, 'one.example.com/live'))

    expect(await ask('one.example.com', '/')).toMatchObject({ status: 503 })
    expect((await ask(host, '/')).status).toBe(200)
  })
})

describe('tenants do not reach each other', () => {
  it('by links: nginx follows those to files of the same owner only', async () => {
    expectedErrors.push(/docroot\/(steal\.txt|steal\/secret\.txt|passwd\.txt|steal\.php)" failed \(40: /)
    const theirs = join(machine.places.customers.sites(other.name), 'other.example.net/public')
    machine.link(acme.uid, join(docroot, 'a.txt'), join(docroot, 'own-link.txt'))
    machine.link(acme.uid, join(theirs, 'secret.txt'), join(docroot, 'steal.txt'))
    machine.link(acme.uid, theirs, join(docroot, 'steal'))
    machine.link(acme.uid, '/etc/passwd', join(docroot, 'passwd.txt'))
    machine.link(acme.uid, join(theirs, 'index.php'), join(docroot, 'steal.php'))

    expect(await ask(host, '/own-link.txt')).toMatchObject({ status: 200, body: 'plain text' })
    for (const path of ['/steal.txt', '/steal/secret.txt', '/passwd.txt', '/steal.php']) {
      const answer = await ask(host, path)
      expect(answer.body).not.toMatch(/secret of other|root:/)
      expect(answer.body === '' || answer.status !== 200 || JSON.parse(answer.body).uid === acme.uid).toBe(true)
    }
    expect((await ask(host, '/steal.php')).status).toBe(404)
  })

  it('by PHP: files, processes, /tmp, sockets, accounts', async () => {
    expect((await ask('other.example.net', '/')).status).toBe(200)
    writeFileSync(join(machine.places.customers.tmp(other.name), 'theirs'), 'secret of other')
    machine.write(
      acme,
      join(docroot, 'look.php'),
      `<?php error_reporting(0); $s = fn($f) => @file_get_contents($f);
      $fpm = @stream_socket_client('unix://${machine.places.fpmSocket(other.name)}', $e, $m, 1);
      echo json_encode(['file' => $s('${machine.places.customers.root}/other/sites/other.example.net/public/secret.txt'),
        'tenants' => scandir('${machine.places.customers.root}'), 'tmp' => scandir('/tmp'), 'fpm' => $fpm !== false,
        'pids' => array_map(fn($d) => trim($s("$d/comm")), glob('/proc/[0-9]*')),
        'unix' => $s('/proc/self/net/unix'), 'sys' => @scandir('/sys'), 'pid1' => $s('/proc/1/environ'), 'shadow' => $s('/etc/shadow'), 'passwd' => $s('/etc/passwd'),
        'me' => posix_getpwuid(posix_geteuid())['name'], 'run' => @scandir('/run/wcp360'), 'hosts' => @scandir('${machine.places.web.hosts}'),
        'sites' => array_map('file_exists', ['${machine.places.web.hosts}/${host}', '${machine.places.web.hosts}/other.example.net']),
        'shm' => scandir('/dev/shm'), 'caps' => preg_match('/CapBnd:\\s+0+$/m', $s('/proc/self/status')),
        'nnp' => preg_match('/NoNewPrivs:\\s+1$/m', $s('/proc/self/status')), 'groups' => preg_match('/^Groups:\\s*$/m', $s('/proc/self/status')),
        'env' => getenv(), 'write' => @file_put_contents('/usr/x', 'x'), 'etc' => @file_put_contents('/etc/x', 'x')]);`,
    )

    const seen = JSON.parse((await ask(host, '/look.php')).body)

    expect(seen).toMatchObject({
      file: false,
      tenants: ['.', '..', 'acme'],
      fpm: false,
      pid1: false,
      shadow: false,
      me: 'acme',
    })
    expect(seen).toMatchObject({ sites: [true, false] })
    expect(seen).toMatchObject({ hosts: false, shm: ['.', '..'], caps: 1, nnp: 1, groups: 1, write: false, etc: false })
    expect(seen.tmp).not.toContain('theirs')
    expect(seen.unix).toContain(machine.places.fpmBoundSocket(other.uid))
    expect(seen.unix).not.toMatch(/[./](other|acme)[./]/)
    expect(seen.sys).toBe(false)
    expect(seen.passwd.trim().split('\n')).toHaveLength(2)
    expect(new Set(seen.pids)).toEqual(new Set(['bwrap', `php-fpm${php}`]))
    expect(Object.keys(seen.env).filter((name) => /TOKEN|SECRET|NODE|FPM_SOCKETS/.test(name))).toEqual([])
  })

  it('by the socket: only the web server may connect', async () => {
    const { execFileSync } = await import('node:child_process')
    const script = `require('net').connect('${machine.places.fpmSocket(other.name)}').on('connect',()=>console.log('in')).on('error',e=>console.log(e.code))`
    await ask('other.example.net', '/')

    expect(
      execFileSync(process.execPath, ['-e', script], { uid: acme.uid, gid: acme.gid, env: {}, encoding: 'utf8' }),
    ).toBe('EACCES\n')
  })
})

describe('PHP that fails', () => {
  it('runs a POST once when the worker dies in the middle of it', async () => {
    expectedErrors.push(/upstream prematurely closed connection|recv\(\) failed \(104/)
    const marks = join(docroot, 'marks.txt')
    machine.write(acme, marks, '')
    machine.write(
      acme,
      join(docroot, 'die.php'),
      `<?php file_put_contents(__DIR__ . '/marks.txt', 'x', FILE_APPEND); posix_kill(getmypid(), 9);`,
    )

    for (const isCold of [true, false]) {
      writeFileSync(marks, '')
      if (isCold) await sleepAcme()
      const answer = await ask(host, '/die.php', { method: 'POST', body: Buffer.from('pay=1') })

      expect(answer.status).toBe(502)
      expect(readFileSync(marks, 'utf8')).toBe('x')
    }
    expect((await ask(host, '/')).status).toBe(200)
  })

  it('answers 503 with a time to come back, without a loop, while the master does not start', async () => {
    const config = machine.places.web.fpmConfig(other.name)
    const good = readFileSync(config, 'utf8')
    await machine.services.stopFpm(other.name)
    writeFileSync(config, `${good}\nnonsense = yes\n`)

    const answers = await Promise.all(Array.from({ length: 10 }, () => ask('other.example.net', '/')))
    const later = await ask('other.example.net', '/')
    writeFileSync(config, good)

    expect(answers.map((answer) => answer.status)).toEqual(Array(10).fill(503))
    expect(Number(later.headers['retry-after'])).toBeGreaterThan(0)
    expect(machine.starts).toEqual(['other'])
    expect(machine.processesOf(other.uid)).toEqual([])
    expect(existsSync(machine.places.fpmSocket(other.name))).toBe(false)
    await sleep(2100)
    expect((await ask('other.example.net', '/')).status).toBe(200)
  })

  it('is started again when its master was killed', async () => {
    expectedErrors.push(/connect\(\) to unix:\S+ failed \((2: No such file|111: Connection refused)/)
    await ask(host, '/')
    for (const pid of machine.processesOf(acme.uid)) process.kill(pid, 'SIGKILL')
    await until(() => machine.processesOf(acme.uid).length === 0)

    const body = randomBytes(200_000)
    expect((await ask(host, '/index.php', { method: 'POST', body })).body).toMatch(/^200000 /)
  })

  it('is awake, and can be stopped, when an earlier stop took its socket away and then failed', async () => {
    await ask(host, '/')
    const { fpmSocket, fpmHiddenSocket } = machine.places
    renameSync(fpmSocket(acme.name), fpmHiddenSocket(acme.name))

    expect((await seen()).tenant).toBe(acme.name)
    await machine.services.stopTenant(acme.name)
    expect(machine.processesOf(acme.uid)).toEqual([])
    expect(await machine.services.awakeFpm()).not.toContainEqual(expect.objectContaining({ tenant: acme.name }))
  })

  it('leaves nothing behind that took a session of its own, also for an agent that began later', async () => {
    const spawned = `<?php exec('setsid sleep 601 >/dev/null 2>&1 &'); echo 'left';`
    machine.write(acme, join(docroot, 'leave.php'), spawned)
    expect((await ask(host, '/leave.php')).body).toBe('left')
    const log = { info() {}, warn() {}, error() {} }
    const later = await openDirectServices({ places: machine.places, webGid, log, egress: foreignEgress(log) })

    // its master ends by itself, as one does that is told to or crashes: the child is in nobody's tree then
    for (const pid of machine.processesOf(acme.uid).filter((pid) => commandOf(pid).includes('php-fpm')))
      process.kill(pid, 'SIGKILL')
    // one that is ending has no command line any more, and is listed until it has been waited for
    await until(() => machine.processesOf(acme.uid).map(commandOf).join() === 'sleep 601')
    expect(await later.runsAnything(acme.name)).toBe(true)

    await later.stopTenant(acme.name)
    expect(machine.processesOf(acme.uid)).toEqual([])
    expect(await later.runsAnything(acme.name)).toBe(false)
  })

  it('is awake as soon as its start is asked for, so that a suspension in that moment ends it', async () => {
    await sleepAcme()
    const starting = machine.services.startFpm(acme)

    expect(await seen()).toMatchObject({ tenant: acme.name, isServing: true })
    await machine.services.stopTenant(acme.name)
    await starting
    expect(machine.processesOf(acme.uid)).toEqual([])
  })

  it('is woken a second time for a request when it was stopped right after the first, and not a third time', async () => {
    const services = machine.services
    const answers: number[] = []
    for (const stopsAfter of [1, 9]) {
      await sleepAcme()
      machine.starts.length = 0
      const start = services.startFpm
      services.startFpm = async (tenant) => {
        await start(tenant)
        if (machine.starts.length <= stopsAfter) await services.stopFpm(tenant.name)
      }
      answers.push((await ask(host, '/index.php', { method: 'POST', body: randomBytes(300_000) })).status)
      services.startFpm = start
      expect(machine.starts).toEqual(['acme', 'acme'])
    }

    expect(answers).toEqual([200, 503])
  })

  it('loses no request while it is stopped again and again', async () => {
    let isOver = false
    const statuses: Record<number, number> = {}
    const load = Array.from({ length: 4 }, async () => {
      while (!isOver) {
        const { status } = await ask(host, '/index.php', { method: 'POST', body: Buffer.from('x') })
        statuses[status] = (statuses[status] ?? 0) + 1
      }
    })
    const answered = () => Object.values(statuses).reduce((sum, count) => sum + count, 0)
    for (let round = 0; round < 10; round++) {
      const before = answered()
      await until(() => answered() > before + 10)
      await machine.services.stopFpm(acme.name)
    }
    isOver = true
    await Promise.all(load)

    expect(Object.keys(statuses)).toEqual(['200'])
  })
})

async function seen() {
  const found = (await machine.services.awakeFpm()).find((one) => one.tenant === acme.name)
  if (!found) throw new Error('PHP does not run')
  return found
}

/** Its workers wait: a worker that has answered, or has just begun, is not there yet. */
async function settled() {
  let [before, now] = [await seen(), await seen()]
  await until(async () => {
    await sleep(200)
    before = now
    now = await seen()
    return !now.isServing && now.work === before.work
  })
  return now
}

describe('an idle tenant', () => {
  it('is stopped by the reaper, also of an agent that was restarted, and woken by the next request', async () => {
    await ask(host, '/')
    const log = { info() {}, warn() {}, error() {} }
    let now = 0
    const reaper = new IdleReaper({
      services: machine.services,
      log,
      ceiling: ceilingOf(75),
      idleSeconds: 60,
      now: () => now,
    })
    await settled()
    await reaper.look()
    now = 30_000
    await ask(host, '/')
    await settled()
    await reaper.look()
    now = 89_000
    await reaper.look()
    expect(machine.processesOf(acme.uid).length).toBeGreaterThan(0)

    now = 90_000
    await reaper.look()

    expect(machine.processesOf(acme.uid)).toEqual([])
    expect((await ask(host, '/')).status).toBe(200)
  })
})

describe('PHP whose settings have changed', () => {
  it('is seen as outdated, stopped once it rests, and not again after its next start', async () => {
    const isOutdated = async () =>
      (await machine.services.awakeFpm()).find(({ tenant }) => tenant === acme.name)?.isOutdated
    await ask(host, '/')
    expect(await isOutdated()).toBe(false)
    const config = machine.places.web.fpmConfig(acme.name)
    writeFileSync(config, readFileSync(config))
    expect(await isOutdated()).toBe(true)

    await until(async () => {
      await machine.reaper.look()
      return machine.processesOf(acme.uid).length === 0
    })

    expect((await ask(host, '/')).status).toBe(200)
    expect(await isOutdated()).toBe(false)
  })
})

describe('many tenants below a small ceiling', () => {
  /** Each takes a start, and from the tenth on an end. */
  const tenants = process.env.WCP_FAULTS === 'all' ? 500 : 16

  it('are all woken, and what rested longest has gone for what came later', { timeout: tenants * 4000 }, async () => {
    const before = await machine.services.crowd()
    const ceiling = { ...ceilingOf(95), memoryBytes: Math.floor((before.memoryBytes + 90 * 1024 * 1024) / 0.9) }
    const usual = machine.reaper
    machine.reaper = machine.reaperBelow(ceiling)
    const crowd = Array.from({ length: tenants }, (_, n) => machine.addTenant(`crowd${n}`, 21_100 + n))
    for (const one of crowd) machine.addSite(one, `${one.name}.example.org`, { 'index.php': echo })
    const isAwake = ({ uid }: FpmStart) => machine.processesOf(uid).length > 0

    const statuses: number[] = []
    for (const { name } of crowd) statuses.push((await ask(`${name}.example.org`, '/')).status)
    const { memoryBytes } = await machine.services.crowd()
    const awake = crowd.filter(isAwake)

    expect(statuses).toEqual(crowd.map(() => 200))
    expect(memoryBytes).toBeLessThan(ceiling.memoryBytes)
    expect(awake.length).toBeLessThan(crowd.length)
    expect(awake).toContain(crowd.at(-1))
    expect(awake).not.toContain(crowd[0])
    machine.reaper = usual
    for (const { name } of awake) await machine.services.stopFpm(name)
  })
})

describe('PHP that runs', () => {
  it('is seen to serve while a request waits, and to rest otherwise', async () => {
    machine.write(
      acme,
      join(docroot, 'wait.php'),
      `<?php touch('/tmp/waits'); while (is_file('/tmp/waits')) { usleep(1000); clearstatcache(); }`,
    )
    const mark = join(machine.places.customers.tmp(acme.name), 'waits')
    await ask(host, '/')
    const slow = ask(host, '/wait.php')
    await until(() => existsSync(mark))
    expect(await seen()).toMatchObject({ isServing: true })

    unlinkSync(mark)
    expect((await slow).status).toBe(200)

    const before = await settled()
    await ask(host, '/')
    expect((await settled()).work).not.toBe(before.work)
  })

  it("writes its errors into the tenant's home, and nothing of the logs of root can be seen", async () => {
    const log = join(machine.places.customers.home(acme.name), 'php.log')
    const page = `<?php error_log('said on purpose'); trigger_error('a warning', E_USER_WARNING);
      echo json_encode(@scandir('${machine.places.logs}'));`
    machine.write(acme, join(docroot, 'complain.php'), page)

    expect(JSON.parse((await ask(host, '/complain.php')).body)).toBe(false)

    const text = readFileSync(log, 'utf8')
    expect(text).toMatch(/^\[.*\] said on purpose$/m)
    expect(text).toMatch(/^\[.*\] PHP Warning: {2}a warning in .*\/complain\.php on line 1$/m)
  })

  it('writes them elsewhere when the application says so', async () => {
    const own = join(docroot, 'own.log')
    machine.write(
      acme,
      join(docroot, 'elsewhere.php'),
      `<?php ini_set('error_log', __DIR__ . '/own.log'); error_log('mine');`,
    )

    expect((await ask(host, '/elsewhere.php')).status).toBe(200)

    expect(readFileSync(own, 'utf8')).toContain('mine')
  })
})

describe('a new site', () => {
  it('is served without a reload and without a failed request elsewhere', async () => {
    const workers = nginxWorkers()
    let isOver = false
    let failed = 0
    let served = 0
    const load = Array.from({ length: 8 }, async () => {
      while (!isOver) {
        const answer = await ask(host, '/a.txt').catch(() => undefined)
        if (answer?.status === 200) served++
        else failed++
      }
    })

    const fresh = machine.addTenant('fresh', 21_003)
    for (let index = 0; index < 20; index++) {
      machine.addSite(fresh, `s${index}.fresh.example`, { 'index.php': echo })
      expect((await ask(`s${index}.fresh.example`, '/')).status).toBe(200)
    }
    isOver = true
    await Promise.all(load)

    expect(failed).toBe(0)
    expect(served).toBeGreaterThan(50)
    expect(nginxWorkers()).toEqual(workers)
  })
})

describe('a reload', () => {
  it('is refused with the words of nginx when the configuration is broken, and keeps serving', async () => {
    const file = machine.places.nginxSite
    const good = readFileSync(file, 'utf8')
    writeFileSync(file, `${good}\nnonsense;\n`)

    await expect(machine.services.reloadNginx()).rejects.toMatchObject({
      code: 'machine_failed',
      message: expect.stringContaining('unknown directive "nonsense"'),
    })
    writeFileSync(file, good)
    await machine.services.reloadNginx()
    expect((await ask(host, '/a.txt')).status).toBe(200)
    expect(await machine.services.states()).toContainEqual(expect.objectContaining({ name: 'nginx', state: 'running' }))
  })
})

function nginxWorkers(): string[] {
  const master = readFileSync(machine.places.nginxPid, 'utf8').trim()
  return machine
    .processesOf(workersUid)
    .filter((pid) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[1] === master)
    .map(String)
}

/** What comes back on a plain connection until it is closed. */
function raw(request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host: '127.0.0.1', port: httpPort })
    let text = ''
    socket.setEncoding('utf8').on('data', (chunk) => {
      text += chunk
    })
    socket.on('close', () => resolve(text))
    socket.on('error', (error: NodeJS.ErrnoException) => (error.code === 'ECONNRESET' ? resolve(text) : reject(error)))
    socket.end(request)
  })
}
