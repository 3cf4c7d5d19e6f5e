/** `wcp emergency` on a machine of its own below a temporary root: real registry, store, files and nginx -t, no daemon. */
import { execFileSync, spawnSync } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sealHead } from '../../src/agent/audit/audit-line.ts'
import { type Layout, layout } from '../../src/agent/os/layout.ts'
import { takeAgentLock } from '../../src/agent/os/lock.ts'
import { openRescue, withEngine } from '../../src/agent/rescue/machine.ts'
import { approve } from '../../src/cli/commands/approve.ts'
import { emergencyCommands } from '../../src/cli/commands/emergency.ts'
import { rescueCaller } from '../../src/cli/emergency/call-rescue.ts'
import { runProgram } from '../../src/cli/program.ts'
import { asWcpError, errorTable } from '../../src/contract/errors.ts'
import { RescueAnswer } from '../../src/contract/rescue.ts'
import { Fqdn, Id, TenantName } from '../../src/contract/values.ts'
import { openDatabase } from '../../src/program/native-sqlite.ts'
import type { Deed } from './emergency-panel.ts'

const panelUid = 21_998
const email = 'ann@example.com'
const first = 'a heron stands in the reeds'
const second = 'two otters swim below it'
const tenant = Id.parse(randomUUID())
const domain = Id.parse(randomUUID())
const name = TenantName.parse('rescueone')
const fqdn = Fqdn.parse('rescue.example.com')
const noLimits = { cpuPct: null, memMb: null, pids: null, ioMbps: null, diskMb: null }

const quiet = '--disable-warning=ExperimentalWarning'
const isAble = process.getuid?.() === 0 && existsSync('/usr/sbin/nginx')

describe.skipIf(!isAble)('wcp emergency', () => {
  let places: Layout
  let panelKey: string

  beforeAll(async () => {
    const root = mkdtempSync(join(tmpdir(), 'wcp-emergency-'))
    chmodSync(root, 0o755)
    places = layout(root)
    panelKey = randomBytes(32).toString('hex')
    layMachine(places, panelKey)
    await makeTenant(places)
  })

  afterAll(() => rmSync(places.root, { recursive: true }))

  async function wcp(words: readonly string[], password = second) {
    let out = ''
    const output = {
      out(text: string) {
        out += text
      },
      err(text: string) {
        out += text
      },
      colour: false,
    }
    const call = rescueCaller('--root', places.root)
    const ask = { secret: async () => password, yes: async () => false }
    const locals = [...emergencyCommands({ output, isTerminal: true, ask, call }), approve(call, output)]
    const program = {
      operations: [],
      locals,
      version: '0',
      write: output.out,
      writeError: output.err,
      runWords: async () => 1,
    }
    try {
      return { code: await runProgram(program, words[0] === 'approve' ? words : ['emergency', ...words]), out }
    } catch (error) {
      const { code, message } = asWcpError(error)
      return { code: errorTable[code].exit, out: `${out}${message}` }
    }
  }

  async function answer(...words: readonly string[]) {
    const { code, out } = await wcp([...words, '--json'])
    const { report, problem } = JSON.parse(out)
    return { code, report: RescueAnswer.shape.report.parse(report), problem }
  }

  function panel(deed: Deed, more: object = {}) {
    const wish = { where: join(places.panelState, 'state.db'), panelKey, email, tenant, name, ...more }
    const helper = fileURLToPath(new URL('./emergency-panel.ts', import.meta.url))
    const argv = [quiet, helper, deed, JSON.stringify(wish)]
    const said = execFileSync(process.execPath, argv, { uid: panelUid, gid: panelUid, encoding: 'utf8', cwd: '/' })
    return JSON.parse(said)
  }

  function owners(): number[] {
    return readdirSync(places.panelState).map((file) => statSync(join(places.panelState, file)).uid)
  }

  const isLive = () => existsSync(places.web.live(name))

  it('makes an administrator in a store that was lost, and only one', async () => {
    const lost = await wcp(['reset-password', email])
    const older = await wcp(['roll-back'])
    const weak = await wcp(['create-admin', email], 'password1234')
    const made = await wcp(['create-admin', email], first)
    const again = await wcp(['create-admin', 'bob@example.com'], first)

    expect(older).toEqual(lost)
    expect(lost).toMatchObject({ code: 11, out: expect.stringContaining('Cannot find the panel') })
    expect(weak).toMatchObject({ code: 2, out: expect.stringContaining('password') })
    expect(made).toMatchObject({ code: 0, out: expect.stringContaining(`The administrator ${email} is made.`) })
    expect(again).toMatchObject({ code: 6, out: expect.stringContaining('there is one already') })
    expect(panel('mayLogin', { password: first })).toBe(true)
    expect(owners()).toEqual(owners().map(() => panelUid))
  })

  it('does not go back where the store is of this version', async () => {
    const { out, code } = await wcp(['roll-back'])
    expect(out).toMatch(/Cannot roll back: this version works with the store as it is \(schema \d+\)/)
    expect(code).toBe(errorTable.conflict.exit)
  })

  it('lets an administrator in who is suspended, has lost the second factor and the password', async () => {
    panel('tenant')
    panel('lockOut')

    const { code, out } = await wcp(['reset-password', email.toUpperCase()], second)

    expect(code).toBe(0)
    expect(out).toContain('Sessions ended: 1.')
    expect(out).toContain('was suspended and is active again')
    expect(out).toContain('second factor was removed')
    expect(panel('mayLogin', { password: second })).toBe(true)
    expect(panel('mayLogin', { password: first })).toBe(false)
    expect(panel('state')).toMatchObject({
      sessions: 0,
      verdict: true,
      audit: ['root emergency.reset-password', 'root emergency.create-admin'],
    })
    expect(owners()).toEqual(owners().map(() => panelUid))
  })

  it('says who is not there', async () => {
    expect(await wcp(['reset-password', 'nobody@example.com'])).toMatchObject({ code: 5 })
    expect(await wcp(['suspend', 'nobody'])).toMatchObject({ code: 5, out: expect.stringContaining(name) })
  })

  it('refuses to work beside a running daemon', async () => {
    const attempt = takeAgentLock(places.agentState)
    if (!('lock' in attempt)) throw new Error('the lock is not free')

    const refused = await wcp(['jobs'])
    attempt.lock.release()

    expect(refused).toMatchObject({ code: 6, out: expect.stringContaining(`process ${process.pid} holds the lock`) })
    expect(await wcp(['jobs'])).toMatchObject({ code: 0 })
  })

  it('suspends and opens a tenant, in the store as on the machine', async () => {
    const closed = await answer('suspend', name)
    expect(closed).toMatchObject({ code: 0, problem: null })
    expect(closed.report?.steps?.every(({ state }) => state === 'done' || state === 'unchanged')).toBe(true)
    expect(isLive()).toBe(false)
    expect(panel('state').tenants).toEqual([{ name, status: 'suspended', version: 2 }])
    expect(panel('state').holds).toEqual([{ level: 'root', actor: 'root' }])

    expect(await answer('unsuspend', tenant)).toMatchObject({ code: 0 })
    expect(isLive()).toBe(true)
    expect(panel('state')).toMatchObject({
      tenants: [{ name, status: 'active', version: 3 }],
      holds: [],
      jobs: [
        { type: 'tenant.suspend', state: 'succeeded', token: 2 },
        { type: 'tenant.unsuspend', state: 'succeeded', token: 3 },
      ],
      verdict: true,
    })
    expect(owners()).toEqual(owners().map(() => panelUid))
  })

  it('gives a job up that waits, rather than being refused by it', async () => {
    panel('queue')

    const { code, out } = await wcp(['suspend', name])

    expect(code).toBe(0)
    expect(out).toContain('The waiting job tenant.unsuspend')
    expect(panel('state').jobs.slice(-2)).toEqual([
      { type: 'tenant.unsuspend', state: 'failed', token: 4 },
      { type: 'tenant.suspend', state: 'succeeded', token: 5 },
    ])
  })

  it('works on the machine when the store is damaged, and tells what the panel will show', async () => {
    const store = join(places.panelState, 'state.db')
    copyFileSync(store, `${places.root}/kept.db`)
    writeFileSync(store, 'this is no database, and long enough to be looked at as one'.repeat(100))

    const { code, out } = await wcp(['unsuspend', name])
    const reset = await wcp(['reset-password', email])

    expect(code).toBe(0)
    expect(isLive()).toBe(true)
    expect(out).toContain('The panel does not know of this yet')
    expect(out).toContain(`wcp tenant unsuspend ${name}`)
    expect(reset).toMatchObject({ code: 11, out: expect.stringContaining('Cannot use the panel') })
    writeFileSync(store, readFileSync(`${places.root}/kept.db`))
  })

  it('takes a token above those that a store from a backup does not know of', async () => {
    expect(await wcp(['suspend', name])).toMatchObject({ code: 0 })

    expect(panel('state')).toMatchObject({ tenants: [{ status: 'suspended', version: 7 }] })
    expect(await wcp(['unsuspend', name])).toMatchObject({ code: 0 })
  })

  it('says at once that a fence is out of reach, and resets it', async () => {
    const poison = (token: number) => {
      const database = openDatabase(places.agentDatabase)
      database.prepare('update fences set token = ? where resource = ?').run(token, tenant)
      database.close()
    }
    const { version } = panel('state').tenants[0]
    poison(Number.MAX_SAFE_INTEGER)
    const since = performance.now()

    const refused = await wcp(['suspend', name])
    expect(refused).toMatchObject({ code: 10, out: expect.stringContaining('there is no token above') })
    expect(performance.now() - since).toBeLessThan(30_000)
    expect(panel('state').tenants).toMatchObject([{ version }])

    poison(version + 2 ** 20)
    expect(await wcp(['fences'])).toMatchObject({ code: 0, out: expect.stringContaining('epoch 1') })
    expect(await wcp(['suspend', name])).toMatchObject({ code: 0 })
    expect(await wcp(['unsuspend', name])).toMatchObject({ code: 0 })
    expect(panel('state').tenants).toMatchObject([{ status: 'active', version: version + 2 }])
  })

  it('shows and settles a job whose agent was killed', async () => {
    const job = Id.parse(randomUUID())
    const helper = fileURLToPath(new URL('./emergency-crash.ts', import.meta.url))
    const killed = spawnSync(process.execPath, [quiet, helper, places.root, job, tenant, '20'], { stdio: 'inherit' })
    expect(killed.signal).toBe('SIGKILL')

    const before = await answer('jobs')
    const foreign = await wcp(['settle', randomUUID()])
    const settled = await answer('settle', job)
    const after = await answer('jobs')

    expect(before.report?.jobs).toEqual([
      expect.objectContaining({ id: job, type: 'tenant.suspend', tenant: name, state: 'running', token: 20 }),
    ])
    expect(before.report?.jobs?.[0]?.step).toContain(name)
    expect(foreign).toMatchObject({ code: 5 })
    expect(settled).toMatchObject({ code: 0, report: { jobs: [{ id: job, state: 'succeeded' }] } })
    expect(isLive()).toBe(false)
    expect(after.report?.jobs).toEqual([expect.objectContaining({ id: job, state: 'succeeded' })])
    expect(after.report?.did).toEqual(['Interrupted jobs: 0. Ended, not confirmed by the panel: 1.'])
    expect(await wcp(['settle'])).toMatchObject({ code: 0, out: expect.stringContaining('Nothing was interrupted.') })
  })

  it('shows what differs from what is wanted, and puts it back only when asked', async () => {
    expect(await wcp(['render', '--apply'])).toMatchObject({ code: 0 })
    const fpm = places.web.fpmConfig(name)
    const [good, site] = [readFileSync(fpm, 'utf8'), readFileSync(places.nginxSite, 'utf8')]
    appendFileSync(fpm, '; by hand\n')
    appendFileSync(places.nginxSite, '# by hand\n')
    symlinkSync('../tenants/elsewhere', join(places.web.hosts, 'stray.example.com'))

    const shown = await wcp(['render'])

    expect(shown.code).toBe(0)
    expect(shown.out).toContain('-; by hand')
    expect(shown.out).toContain('-# by hand')
    expect(shown.out).toContain('stray.example.com')
    expect(readFileSync(fpm, 'utf8')).not.toBe(good)

    const put = await wcp(['render', '--apply'])
    const clean = await wcp(['render'])

    expect(put).toMatchObject({ code: 0, out: expect.stringContaining('Put back: 3.') })
    expect(readFileSync(fpm, 'utf8')).toBe(good)
    expect(readFileSync(places.nginxSite, 'utf8')).toBe(site)
    expect(readdirSync(places.web.hosts)).toEqual([fqdn])
    expect(clean).toMatchObject({ code: 0, out: expect.stringContaining('Everything is as it is wanted.') })
    expect(clean.out).toContain('nginx -t')
  })

  it('reads the audit log of the root side while the daemon runs, and finds what is gone', async () => {
    const attempt = takeAgentLock(places.agentState)
    if ('heldBy' in attempt) throw new Error('the lock is held')
    const whole = await wcp(['audit'])
    const log = readFileSync(places.auditLog, 'utf8')
    const { seq, mac } = JSON.parse(log.trimEnd().split('\n').at(-1) ?? '')
    const head = sealHead(Buffer.from(readFileSync(places.auditKey, 'utf8').trim(), 'hex'), { seq, mac }, 'then')
    writeFileSync(places.auditLog, log.slice(0, log.trimEnd().lastIndexOf('\n') + 1))
    rmSync(places.auditHead)

    const cut = await wcp(['audit'])
    const compared = await wcp(['audit', '--head', JSON.stringify(head)])
    const nonsense = await wcp(['audit', '--head', 'nonsense'])
    writeFileSync(places.auditLog, log)
    attempt.lock.release()

    expect(log).toMatch(/"event":"job.accepted".*"type":"tenant.create"/)
    expect(statSync(places.auditLog).mode & 0o777).toBe(0o600)
    expect(whole).toMatchObject({ code: 0, out: expect.stringContaining('The log is whole.') })
    expect(cut).toMatchObject({ code: 10, out: expect.stringContaining('end of the log is missing') })
    expect(compared).toMatchObject({ code: 10, out: expect.stringContaining(`not at line ${seq}`) })
    expect(nonsense.code).toBe(2)
  })

  it('takes root’s word to the brake while the daemon runs, and nothing odd', async () => {
    const attempt = takeAgentLock(places.agentState)
    if ('heldBy' in attempt) throw new Error('the lock is held')
    const given = await wcp(['approve', 'deletes', '--count', '7', '--minutes', '5'])
    const odd = await Promise.all([
      wcp(['approve', 'everything']),
      wcp(['approve', 'deletes', '--count', '0']),
      wcp(['approve', 'deletes', '--minutes', '1e3']),
    ])
    attempt.lock.release()

    const file = join(places.approvals, 'deletes.json')
    expect(given).toMatchObject({ code: 0, out: expect.stringContaining('7 more deletes') })
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ kind: 'deletes', count: 7 })
    expect([statSync(file).mode & 0o777, statSync(places.approvals).mode & 0o777]).toEqual([0o600, 0o700])
    expect(odd.map(({ code }) => code)).toEqual([2, 2, 2])
  })

  it('tells what nginx does not accept', async () => {
    appendFileSync(places.nginxConfig, 'nonsense on;\n')

    expect(await wcp(['render'])).toMatchObject({ code: 10, out: expect.stringContaining('nonsense') })
  })
})

/** What the installer leaves: accounts, configuration, the panel's key, and a web server. */
function layMachine(places: Layout, panelKey: string): void {
  const webGid = execFileSync('/usr/bin/id', ['-g', 'www-data'], { encoding: 'utf8' }).trim()
  const at = (path: string) => join(places.root, path)
  for (const path of ['etc/nginx/conf.d', 'run', 'var/lib/nginx', 'var/log', 'srv'])
    mkdirSync(at(path), { recursive: true })
  for (const path of [dirname(places.config), places.secrets]) mkdirSync(path, { recursive: true, mode: 0o700 })
  const account = (user: string, uid: number) => `${user}:x:${uid}:${uid}::/:/usr/sbin/nologin\n`
  writeFileSync(
    at('etc/passwd'),
    ['wcp360', 'wcp360-waker', 'wcp360-log'].map((name, at) => account(name, panelUid - at)).join(''),
  )
  writeFileSync(at('etc/group'), `www-data:x:${webGid}:\nwcp360-web:x:${webGid}:\n`)
  writeFileSync(places.config, 'http_port: 18490\nhttps_port: 18491\n', { mode: 0o600 })
  writeFileSync(places.panelKey, `${panelKey}\n`, { mode: 0o600 })
  mkdirSync(places.web.defaultTls, { recursive: true })
  const pem = (file: string) => join(places.web.defaultTls, file)
  const kind = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-subj',
    '/CN=x.invalid',
  ]
  const files = ['-keyout', pem(places.web.keyFile), '-out', pem(places.web.certificateFile)]
  execFileSync('/usr/bin/openssl', [...kind, ...files], { stdio: 'ignore' })
  const spools = ['client_body', 'fastcgi', 'proxy', 'uwsgi', 'scgi']
    .map((spool) => `${spool}_temp_path ${at('var/lib/nginx')}/${spool};`)
    .join(' ')
  writeFileSync(
    places.nginxConfig,
    `user www-data; pid ${places.nginxPid}; error_log ${at('var/log')}/nginx.log; events {}
http { access_log off; ${spools} include ${places.nginxSite}; }
`,
  )
}

/** A tenant and its site, made by the engine's own jobs. */
async function makeTenant(places: Layout): Promise<void> {
  const jobs = [
    { type: 'tenant.create', payload: { tenant, name, limits: noLimits } },
    { type: 'domain.create', payload: { tenant, domain, fqdn, aliases: [], php: null } },
  ]
  mkdirSync(places.agentState, { recursive: true, mode: 0o700 })
  const rescue = await openRescue(places)
  await withEngine(rescue, async (engine, said) => {
    const ask = randomUUID()
    engine.handle({ t: 'close_setup', ask })
    await said.first('answer', (message) => message.ask === ask)
    for (const { type, payload } of jobs) {
      const job = Id.parse(randomUUID())
      engine.handle({ t: 'job', job, type, token: 1, epoch: 0, staff: true, reseller: null, payload })
      const { failure } = await said.first('finished', (message) => message.job === job)
      if (failure !== null) throw new Error(`${type}: ${failure.message}`)
      engine.handle({ t: 'ack', job })
    }
  })
  rescue.close()
}
