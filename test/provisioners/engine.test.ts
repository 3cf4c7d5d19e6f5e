/** Fences, phases, redelivery, order: what the engine promises apart from what single jobs do. */
import { chmodSync, chownSync, lstatSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createEngine } from '../../src/agent/jobs/engine.ts'
import { longestStep } from '../../src/agent/jobs/journal.ts'
import { openSetup } from '../../src/agent/rescue/setup.ts'
import { WcpError } from '../../src/contract/errors.ts'
import { Fqdn, TenantName } from '../../src/contract/values.ts'
import type { PlanReport } from '../../src/contract/wire.ts'
import { passTrashDays } from '../support/trash-days.ts'
import { Bench, newId } from './bench.ts'
import { withFaults } from './faults.ts'
import { domain, leadUp, scenarios, tenant } from './scenarios.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let bench: Bench
beforeEach(async () => {
  bench = await Bench.make()
})
afterEach(async () => {
  await bench.engine.close()
  bench.remove()
})

const create = scenarios['tenant.create'].payload

it('changes the limits of a tenant under its running PHP, which reads its own numbers when it starts next', async () => {
  await leadUp(bench, 'tenant.limit')
  bench.services.awake.add('acme')

  await bench.run('tenant.limit', scenarios['tenant.limit'].payload)

  expect([...bench.services.awake]).toEqual(['acme'])
  expect(bench.services.limits.get('acme')).toMatchObject({ memMb: 1024 })
})

it('plans what comes after a tenant that does not exist yet', async () => {
  const { 'tenant.create': tenant, 'domain.create': domain } = scenarios
  const jobs = [
    { type: 'tenant.create', payload: tenant.payload },
    { type: 'domain.create', payload: domain.payload },
  ]

  const [made = [], served = []] = (await bench.ask({ t: 'plan', jobs })).value as PlanReport

  expect(made.every(({ action }) => action === 'create' || action === 'run')).toBe(true)
  expect(served.some(({ step, action }) => step.includes('/hosts/') && action === 'create')).toBe(true)
  expect((await bench.ask({ t: 'plan', jobs: jobs.slice(1) })).failure).toMatchObject({ code: 'not_found' })
})

describe('the fence', () => {
  it('refuses a token below the one it has seen, also after a restart', async () => {
    await leadUp(bench, 'tenant.suspend')
    await bench.run('tenant.delete', { tenant }, { token: 50 })
    await bench.run('tenant.restore', { tenant }, { token: 51 })
    const restored = bench.manifest()

    const late = await bench.run('tenant.delete', { tenant }, { token: 49 })
    await bench.engine.close()
    await bench.start()
    const later = await bench.run('tenant.delete', { tenant }, { token: 50 })

    expect(late.failure).toMatchObject({ step: null, code: 'stale' })
    expect(later.failure).toMatchObject({ step: null, code: 'stale' })
    expect(bench.manifest()).toBe(restored)
  })

  it('gives the stored result to the same job sent again, and does not do it again', async () => {
    const job = newId()
    await bench.run('tenant.create', create, { job, token: 7 })
    rmSync(`${bench.places.userdb}/acme.user`)
    bench.messages.length = 0

    const again = await bench.run('tenant.create', create, { job, token: 7 })

    expect(again).toEqual({ t: 'finished', job, token: 7, failure: null })
    expect(bench.messages).toHaveLength(1)
    expect(bench.files.existsNow(`${bench.places.userdb}/acme.user`)).toBe(false)
  })

  it('refuses another payload with the same token, and another job with the same id', async () => {
    const job = newId()
    await bench.run('tenant.create', create, { job, token: 7 })

    const otherPayload = await bench.run('tenant.create', { ...create, name: 'other' }, { token: 7 })
    bench.messages.length = 0
    const otherJob = await bench.run('tenant.suspend', { tenant }, { job, token: 8 })

    expect(otherPayload.failure).toMatchObject({ code: 'conflict' })
    expect(otherJob.failure).toMatchObject({ code: 'conflict' })
  })
})

describe('the number of a token', () => {
  it('goes up by a bounded step, and a tenant is never put out of reach', async () => {
    await bench.run('tenant.create', create, { token: 2 })

    const far = await bench.run('tenant.suspend', { tenant }, { token: Number.MAX_SAFE_INTEGER })
    const next = await bench.run('tenant.suspend', { tenant }, { token: 3 })
    const edge = await bench.run('tenant.suspend', { tenant }, { token: 3 + longestStep })
    const beyond = await bench.run('tenant.suspend', { tenant }, { token: 4 + 2 * longestStep })

    expect(far.failure).toMatchObject({ step: null, code: 'conflict' })
    expect(next.failure).toBeNull()
    expect(edge.failure).toBeNull()
    expect(beyond.failure).toMatchObject({ code: 'conflict' })
  })

  it('begins with a bounded step for what was never accepted', async () => {
    const far = await bench.run('tenant.create', create, { token: longestStep + 1 })

    expect(far.failure).toMatchObject({ code: 'conflict' })
    expect((await bench.run('tenant.create', create, { token: longestStep })).failure).toBeNull()
  })
})

describe('an epoch', () => {
  const newEpoch = async () => (await bench.ask({ t: 'new_epoch' })).value

  it('makes the next job of every row news, however far its fence was', async () => {
    await bench.run('tenant.create', create, { token: 2 })
    await bench.run('tenant.suspend', { tenant }, { token: longestStep })

    expect(await newEpoch()).toEqual({ epoch: 1 })

    const next = await bench.run('tenant.unsuspend', { tenant }, { token: 3, epoch: 1 })
    const late = await bench.run('tenant.suspend', { tenant }, { token: longestStep + 1, epoch: 0 })
    const ahead = await bench.run('tenant.suspend', { tenant }, { token: 4, epoch: 2 })
    expect(next.failure).toBeNull()
    expect(late.failure).toMatchObject({ code: 'stale' })
    expect(ahead.failure).toMatchObject({ code: 'stale' })
  })

  it('lets the versions of a store go on that are above all first steps', async () => {
    await bench.run('tenant.create', create, { token: longestStep })
    await newEpoch()

    const next = await bench.run('tenant.suspend', { tenant }, { token: longestStep + 1, epoch: 1 })

    expect(next.failure).toBeNull()
  })

  it('is kept over a restart, told in the hello, and does not take back what was accepted', async () => {
    const job = newId()
    await bench.run('tenant.create', create, { job, token: 7 })
    await newEpoch()
    await bench.engine.close()
    await bench.start()
    bench.messages.length = 0
    bench.engine.hello()

    expect(bench.messages[0]).toMatchObject({ t: 'hello', epoch: 1 })
    bench.messages.length = 0
    expect(await bench.run('tenant.create', create, { job, token: 7 })).toMatchObject({ failure: null })
    expect(bench.messages).toHaveLength(1)
  })

  it('is opened by a panel four times an hour, which is told when it can go on', async () => {
    for (let opened = 1; opened <= 4; opened++) expect(await newEpoch()).toEqual({ epoch: opened })

    const { failure } = await bench.ask({ t: 'new_epoch' })

    expect(failure).toMatchObject({ code: 'too_many_requests' })
    const [, seconds] = /again in (\d+) seconds\.$/.exec(failure?.help ?? '') ?? []
    expect(Number(seconds)).toBeGreaterThan(3000)
    expect(Number(seconds)).toBeLessThanOrEqual(3600)
  })
})

describe('ends of jobs', () => {
  it('are told again at every hello until they are acknowledged', async () => {
    const job = newId()
    await bench.run('tenant.create', create, { job })
    await bench.engine.close()
    await bench.start()
    bench.messages.length = 0

    bench.engine.hello()
    bench.engine.hello()
    expect(bench.messages.filter((one) => one.t === 'finished').map((one) => one.job)).toEqual([job, job])

    bench.engine.handle({ t: 'ack', job })
    bench.messages.length = 0
    bench.engine.hello()
    expect(bench.messages.map((one) => one.t)).toEqual(['hello', 'audited'])
  })

  it('are told two hundred at once, and the next ones when these are acknowledged', async () => {
    for (let made = 0; made < 250; made++) await bench.run('tenant.suspend', { tenant: newId() })
    const told = () => bench.messages.flatMap((one) => (one.t === 'finished' ? [one.job] : []))
    bench.messages.length = 0

    bench.engine.hello()
    const first = told()
    expect(first).toHaveLength(200)
    for (const job of first.slice(1)) bench.engine.handle({ t: 'ack', job })
    for (let forged = 0; forged < 10; forged++) bench.engine.handle({ t: 'ack', job: newId() })
    expect(told()).toHaveLength(200)

    bench.engine.handle({ t: 'ack', job: first[0] })
    expect(new Set(told()).size).toBe(250)
    for (const job of told().slice(200)) bench.engine.handle({ t: 'ack', job })
    expect(told()).toHaveLength(250)
  })

  it('tell which step failed, why, and what to do', async () => {
    const { machine } = withFaults(bench.machine(), (n) => (n === 6 ? 'fails' : undefined))
    await bench.engine.close()
    await bench.start(machine)

    const { failure } = await bench.run('tenant.create', create)

    expect(failure?.step).toBe(`directory ${bench.places.tenantLogsRoot}/acme`)
    expect(failure?.message).toContain('ENOSPC')
    expect(failure?.help).toContain('send the request again')
  })
})

describe('phases', () => {
  it('root is checked only until setup is closed, and that is for ever', async () => {
    expect(bench.engine.setupOpen).toBe(false)
    expect(bench.engine.handle({ t: 'verify_root', ask: newId(), password: 'right', code: 'x', from: '::1' })).toBe(
      'close',
    )
    await bench.engine.close()

    rmSync(bench.places.setupClosed) // one of the two places that know is enough
    await bench.start()
    expect(bench.engine.setupOpen).toBe(false)
    expect(bench.files.existsNow(bench.places.setupClosed)).toBe(true)
  })

  it('an unclosed setup takes no jobs and checks root five times a minute', async () => {
    const fresh = await Bench.make({ closed: false })
    try {
      const code = await setupCode(fresh)
      const verify = { t: 'verify_root', from: '::1', code }
      expect(await fresh.run('tenant.create', create)).toMatchObject({ failure: { code: 'unavailable' } })
      for (let n = 0; n < 100; n++) await fresh.ask({ ...verify, password: 'right', code: `guess ${n}` })
      for (let n = 0; n < 5; n++) {
        const { value } = await fresh.ask({ ...verify, password: 'wrong' })
        expect(value).toEqual({ ok: false, retryAfterSeconds: null, refused: 'password' })
      }
      const sixth = (await fresh.ask({ ...verify, password: 'right' })).value
      expect(sixth).toMatchObject({ ok: false, retryAfterSeconds: expect.any(Number) })
      expect(fresh.manifest()).not.toContain('acme')
    } finally {
      await fresh.engine.close()
      fresh.remove()
    }
  })

  it('tells a check of root that failed as failed, and not as a wrong password', async () => {
    const fresh = await Bench.make({ closed: false })
    try {
      await fresh.engine.close()
      const verifyRoot = () => Promise.reject(new WcpError('unavailable', 'PAM did not answer'))
      await fresh.start(fresh.machine(), { verifyRoot })
      const code = await setupCode(fresh)
      expect(await fresh.ask({ t: 'verify_root', password: 'right', code, from: '::1' })).toMatchObject({
        value: null,
        failure: { code: 'unavailable', message: 'PAM did not answer' },
      })
    } finally {
      await fresh.engine.close()
      fresh.remove()
    }
  })
})

describe('setup from the network', () => {
  let fresh: Bench
  let asked = 0
  let now = Date.now()
  const verifyRoot = async () => {
    asked++
    return true
  }
  const check = async (code: string) =>
    (await fresh.ask({ t: 'verify_root', password: 'right', code, from: '::1' })).value as { refused: string | null }

  beforeEach(async () => {
    asked = 0
    now = Date.now()
    fresh = await Bench.make({ closed: false })
    await fresh.engine.close()
    await fresh.start({ ...fresh.machine(), now: () => new Date(now) }, { verifyRoot })
  })
  afterEach(async () => {
    await fresh.engine.close()
    fresh.remove()
  })

  it('is closed until root opens it, for a day, and the password is not looked at', async () => {
    expect(await check('')).toMatchObject({ ok: false, refused: 'closed' })
    const code = await setupCode(fresh)
    expect(await check(`${code}x`)).toMatchObject({ ok: false, refused: 'code' })
    now = Date.now() + 24 * 3_600_000
    expect(await check(code)).toMatchObject({ ok: false, refused: 'closed' })
    expect(asked).toBe(0)
  })

  it('lets one in by a code, and the newest alone', async () => {
    const older = await setupCode(fresh)
    const code = await setupCode(fresh)

    expect(await check(older)).toMatchObject({ refused: 'code' })
    expect(await check(code)).toEqual({ ok: true, retryAfterSeconds: null, refused: null })
    expect(await check(code)).toMatchObject({ ok: false, refused: 'closed' })
    expect(asked).toBe(1)
  })

  it('does not take the word of a file that somebody else could read or write', async () => {
    for (const spoil of [
      () => chmodSync(fresh.places.setupWord, 0o640),
      () => chownSync(fresh.places.setupWord, 990, 990),
    ]) {
      const code = await setupCode(fresh)
      spoil()
      expect(await check(code)).toMatchObject({ refused: 'closed' })
    }
  })

  it('is not opened once it is closed for good', async () => {
    await fresh.closeSetup()

    await expect(openSetup(fresh.places)).rejects.toMatchObject({ code: 'conflict' })
  })
})

async function setupCode({ places }: Bench): Promise<string> {
  const { setup } = await openSetup(places)
  return setup?.path.split('/').at(-1) ?? ''
}

describe('a registry that cannot be trusted', () => {
  const suffixes = ['', '-wal', '-shm']

  it.each([
    [
      'is gone',
      (path: string) => {
        for (const suffix of suffixes) rmSync(path + suffix, { force: true })
      },
    ],
    ['is damaged', (path: string) => writeFileSync(path, Buffer.alloc(65_536, 7))],
    [
      'is gone with all that the agent knew',
      (path: string) => {
        for (const suffix of [...suffixes, '.made']) rmSync(path + suffix, { force: true })
      },
    ],
  ])('%s: nothing is changed, and the reason is told', async (_, spoil) => {
    await leadUp(bench, 'tenant.suspend')
    await bench.engine.close()
    spoil(bench.places.agentDatabase)
    const before = bench.manifest()
    await bench.start()
    bench.messages.length = 0

    bench.engine.hello()
    const { failure } = await bench.run('tenant.suspend', { tenant })

    expect(bench.messages[0]).toMatchObject({ t: 'hello', readOnly: expect.stringMatching(/registry|database/) })
    expect(failure).toMatchObject({ code: 'unavailable' })
    expect(bench.engine.setupOpen).toBe(false)
    expect(bench.manifest()).toBe(before)
  })
})

describe('order', () => {
  it('one job at a time for a tenant, several tenants at once', async () => {
    const other = newId()
    await bench.run('tenant.create', create)
    await bench.run('tenant.create', { ...create, tenant: other, name: 'other' })
    bench.messages.length = 0
    const send = (type: string, payload: object) => {
      const job = newId()
      bench.engine.handle(bench.job(type, payload, { job }))
      return job
    }

    const first = send('tenant.suspend', { tenant })
    const second = send('tenant.unsuspend', { tenant })
    const foreign = send('tenant.suspend', { tenant: other })
    await Promise.all([first, second, foreign].map((job) => bench.ended(job)))

    const said = bench.messages.flatMap((one) =>
      one.t === 'accepted' || one.t === 'finished'
        ? [`${one.t} ${[first, second, foreign].indexOf(one.job as never)}`]
        : [],
    )
    expect(said.indexOf('finished 0')).toBeLessThan(said.indexOf('accepted 1'))
    expect(said.indexOf('accepted 2')).toBeLessThan(said.indexOf('accepted 1'))
  })

  it('two tenants never get one uid, nor two sites one name, however fast they are asked for', async () => {
    const tenants = Array.from({ length: 6 }, (_, n) => ({
      tenant: newId(),
      name: `tenant${n}`,
      limits: create.limits,
    }))
    await Promise.all(tenants.map((payload) => bench.run('tenant.create', payload)))
    const site = { fqdn: 'shop.example.com', aliases: [], php: null }

    const ends = await Promise.all(
      tenants.map(({ tenant }) => bench.run('domain.create', { tenant, domain: newId(), ...site })),
    )

    expect(ends.filter(({ failure }) => failure === null)).toHaveLength(1)
    const { openDatabase } = await import('../../src/program/native-sqlite.ts')
    const database = openDatabase(bench.places.agentDatabase, { readonly: true })
    const uids = database.prepare('select uid from tenants order by uid').pluck().all()
    database.close()
    expect(uids).toEqual([20_000, 20_001, 20_002, 20_003, 20_004, 20_005])
  })

  it('a uid is not given again after the tenant was purged, and neither is the id', async () => {
    await bench.run('tenant.create', create)
    await bench.run('tenant.delete', { tenant })
    passTrashDays(bench.places.agentDatabase)
    await bench.run('tenant.purge', { tenant })

    const again = await bench.run('tenant.create', create)
    const next = newId()
    await bench.run('tenant.create', { ...create, tenant: next })

    expect(again.failure).toMatchObject({ code: 'conflict' })
    expect(bench.engine.tenant(TenantName.parse('acme'))).toBeUndefined() // it has no PHP
    expect(bench.manifest()).toContain('20001.user')
    expect(bench.manifest()).not.toContain('20000.user')
  })
})

describe('a host that is asked for', () => {
  it('is woken exactly while tenant and domain are live', async () => {
    await leadUp(bench, 'domain.suspend')
    const host = (name: string) => bench.engine.lookupHost(Fqdn.parse(name))
    const php = { kind: 'php', start: { name: 'acme', uid: 20_000, gid: 20_000, php: '8.4' } }

    expect(host('shop.example.com')).toMatchObject(php)
    expect(host('example.net')).toMatchObject(php)
    expect(host('nobody.example.com')).toEqual({ kind: 'unknown' })

    await bench.run('domain.suspend', { tenant, domain })
    expect(host('example.net')).toEqual({ kind: 'suspended' })
    await bench.run('domain.unsuspend', { tenant, domain })
    await bench.run('tenant.suspend', { tenant })
    expect(host('example.net')).toEqual({ kind: 'suspended' })
    await bench.run('tenant.unsuspend', { tenant })
    await bench.run('domain.update', { tenant, domain, aliases: [], php: null })
    expect(host('shop.example.com')).toEqual({ kind: 'static' })
    expect(host('example.net')).toEqual({ kind: 'unknown' })
  })
})

describe('a name that leaves a site', () => {
  it.each([
    ['domain.update', { aliases: ['example.net'], php: '8.4' }],
    ['domain.delete', {}],
  ] as const)(
    'takes with it what PHP knows of it, by %s, though a visitor wakes PHP again at once',
    async (type, more) => {
      await leadUp(bench, 'domain.suspend')
      const stopped: string[] = []
      bench.services.stopFpm = async (name) => void stopped.push(name) // and it is awake again

      expect((await bench.run(type, { tenant, domain, ...more })).failure).toBeNull()

      expect(stopped).toEqual(['acme'])
    },
  )

  it('is known to PHP as to the web server, until then', async () => {
    await leadUp(bench, 'domain.suspend')
    const alias = bench.places.web.site(TenantName.parse('acme'), Fqdn.parse('www.shop.example.com'))
    expect(readlinkSync(alias)).toBe('shop.example.com')

    await bench.run('domain.update', { tenant, domain, aliases: [], php: '8.4' })

    expect(lstatSync(alias, { throwIfNoEntry: false })).toBeUndefined()
  })
})

describe('a tenant whose interrupted job cannot be undone', () => {
  it('gets no other job until it can be', async () => {
    const broken = withFaults(bench.machine(), (n) => (n >= 8 ? 'fails late' : undefined))
    await bench.engine.close()
    await bench.start(broken.machine)
    await bench.run('tenant.create', create)
    expect(bench.engine.stuck()).toHaveLength(1)

    const { failure } = await bench.run('tenant.suspend', { tenant })
    expect(failure).toMatchObject({ code: 'conflict', message: expect.stringContaining('could not be undone') })

    const tries = () => bench.messages.filter((message) => message.t === 'log' && /^Undoing/.test(message.line)).length
    const triesOfOne = tries() / 2 // at its own end, and before the job above
    const wish = { tenant, domain, command: ['true'], seconds: 1 }
    const together = [...Array(3)].map(() => bench.run('cron.run', { ...wish, cron: newId(), run: newId() }))
    for (const { failure } of await Promise.all(together)) expect(failure?.message).toMatch('could not be undone')
    expect(tries()).toBe(3 * triesOfOne)

    await bench.engine.close()
    const before = bench.engine
    await bench.start()
    expect(bench.engine).not.toBe(before)
    expect(await bench.run('tenant.create', create)).toMatchObject({ failure: null })
  })
})

it('an engine without its database directory says so instead of throwing', async () => {
  const options = bench.options(bench.machine())

  const engine = await createEngine({ ...options, databasePath: `${bench.root}/nowhere/agent.db` })

  expect(engine.readOnly).toMatch(/registry/)
  await engine.close()
})
