/** The one door by table: who may pass, what each refusal leaves behind, and what a change brings about. */
import { randomBytes } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { WcpError } from '../../src/contract/errors.ts'
import { type AnyOperation, operationsFor } from '../../src/contract/operation.ts'
import { type Caller, mayCall } from '../../src/panel/operations/admit.ts'
import { idempotency } from '../../src/panel/operations/idempotency.ts'
import { type OperationRunnerOptions, operationRunner } from '../../src/panel/operations/run-operation.ts'
import type { Actor } from '../../src/resources/actor.ts'
import type { Context } from '../../src/resources/context.ts'
import { operations } from '../../src/resources/index.ts'
import type { Db } from '../../src/store/database.ts'
import { newId, openPanel, type Panel, root } from '../store/harness.ts'
import { slices } from '../support/slices.ts'

type User = Extract<Actor, { kind: 'user' }>

const never = () => Promise.reject(new Error('not asked here'))
const minute = 60_000
const open: Panel[] = []

afterEach(async () => {
  for (const panel of open.splice(0)) await panel.close()
})

/** `package.try`, which everybody may call who is staff and has the permission, and which does nothing. */
function operation(over: Partial<AnyOperation<Context>> = {}): AnyOperation<Context> {
  const define = operationsFor<Context>()
  return define({
    name: 'package.try',
    summary: 'Try',
    effect: 'write',
    policy: { scopes: ['global', 'local'] },
    http: 'POST /packages/try',
    positional: [],
    input: () => z.strictObject({ word: z.string().optional(), password: z.string().optional() }),
    output: () => z.object({ word: z.string() }),
    run: async () => ({ word: 'done' }),
    ...over,
  } as never) as AnyOperation<Context>
}

async function door(options: Partial<OperationRunnerOptions> = {}) {
  const panel = await openPanel()
  open.push(panel)
  const told = {
    changed: 0,
    queued: 0,
    closed: 0,
    logged: [] as string[],
    counted: [] as unknown[],
    hashed: [] as string[],
  }
  const runner = operationRunner({
    db: panel.db,
    storesOf: panel.stores,
    registry: operations,
    idempotency: idempotency({ seal: randomBytes(32), codes: randomBytes(32) }),
    link: { ask: never, send: () => false, phpVersions: [], readOnly: null, setupOpen: false },
    files: { ask: never, read: never, change: never, write: never },
    logs: { scan: never },
    hasher: {
      hash: async (place, password) => {
        told.hashed.push(`${JSON.stringify(place)} ${password}`)
        return `hash of ${password}`
      },
      verify: never,
    },
    repeats: { isInFull: () => true },
    panelHost: () => 'panel.example.net',
    log: { error: (_: unknown, text: string) => told.logged.push(text) } as never,
    onChanged: () => void told.changed++,
    onQueued: () => void told.queued++,
    canMail: () => false,
    hasCertificatePort: false,
    linkUrl: (token) => token,
    web: { nameServers: [], visit: never, shown: never },
    closeSetupIfDone: async () => void told.closed++,
    ...options,
  })
  const trail = async () => (await panel.stores(panel.db).audit.list({ limit: 50 })).items.toReversed()
  return { panel, told, trail, ...runner }
}

const user = (over: Partial<User> = {}): User => ({
  kind: 'user',
  id: newId(),
  email: 'ann@example.org',
  permissions: new Set(['package.try']),
  scope: { kind: 'global' },
  ...over,
})
const none = () => ({})
const session = (ageMs: number, mustEnrol: 'factor' | false = false) => ({
  confirmedAt: new Date(Date.now() - ageMs).toISOString(),
  mustEnrol,
})
const caller = (actor: Actor | null, over: Partial<Caller> = {}): Caller => ({
  ...{ actor, ip: '192.0.2.7', requestId: 'r1', session: null },
  ...over,
})
const key = { id: newId(), name: 'deploy' }
const impersonator = { id: newId(), email: 'boss@example.org' }
const stranger = user({ permissions: new Set() })

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
    return 'ok'
  } catch (error) {
    return error instanceof WcpError ? error.code : `no WcpError: ${error}`
  }
}

describe('who may pass', () => {
  it.each<[string, Actor | null, Partial<AnyOperation<Context>>, () => Partial<Caller>, string]>([
    ['nobody', null, {}, none, 'not_signed_in'],
    ['nobody, what is for everyone', null, { isForEveryone: true }, none, 'not_signed_in'],
    ['root', root, {}, none, 'ok'],
    [
      'root, what is sensitive and asks for a proof',
      root,
      { policy: { scopes: ['global'], isSensitive: true }, stepUp: true },
      none,
      'ok',
    ],
    ['who has the permission', user(), {}, none, 'ok'],
    ['who has another', user({ permissions: new Set(['package.list']) }), {}, none, 'forbidden'],
    ['who has all', user({ permissions: 'all' }), {}, none, 'ok'],
    ['who has it in a scope that it is not for', user(), { policy: { scopes: ['local'] } }, none, 'forbidden'],
    ['a customer', user({ scope: { kind: 'local', tenant: newId(), user: newId() } }), {}, none, 'ok'],
    [
      'a reseller, what is not for any',
      user({ scope: { kind: 'reseller', reseller: newId(), user: newId() } }),
      {},
      none,
      'forbidden',
    ],
    ['anybody, what is for everyone', stranger, { isForEveryone: true }, none, 'ok'],
    [
      'a key without the permission, what is for everyone',
      { ...stranger, key },
      { isForEveryone: true },
      none,
      'forbidden',
    ],
    ['a key with it', user({ key }), { isForEveryone: true }, none, 'ok'],
    ['a person, what is sensitive', user(), { policy: { scopes: ['global'], isSensitive: true } }, none, 'ok'],
    [
      'a key, what is sensitive',
      user({ key }),
      { policy: { scopes: ['global'], isSensitive: true } },
      none,
      'forbidden',
    ],
    [
      'who acts as another, what is sensitive',
      user({ impersonator }),
      { policy: { scopes: ['global'], isSensitive: true } },
      none,
      'forbidden',
    ],
    ['who acts as another', user({ impersonator }), {}, none, 'ok'],
    ['without a session, what asks for a proof', user(), { stepUp: true }, none, 'step_up_needed'],
    ['with a proof of just now', user(), { stepUp: true }, () => ({ session: session(10 * minute - 5000) }), 'ok'],
    [
      'with one of ten minutes ago',
      user(),
      { stepUp: true },
      () => ({ session: session(10 * minute) }),
      'step_up_needed',
    ],
    ['with an old one, what asks for none', user(), {}, () => ({ session: session(600 * minute) }), 'ok'],
    ['a key, what asks for a proof', user({ key }), { stepUp: true }, none, 'ok'],
    ['who has to enrol', user(), {}, () => ({ session: session(0, 'factor') }), 'second_factor_needed'],
    [
      'who has to enrol, while enrolling',
      user(),
      { whileEnrolling: true },
      () => ({ session: session(0, 'factor') }),
      'ok',
    ],
    [
      'a key whose owner has to enrol',
      user({ key }),
      {},
      () => ({ session: session(0, 'factor') }),
      'second_factor_needed',
    ],
  ])('%s', async (_, actor, over, rest, expected) => {
    const { run } = await door()
    const asked = operation(over)

    expect(await codeOf(run(caller(actor, rest()), asked, {}))).toBe(expected)
    const isOfRights = ['ok', 'forbidden', 'not_signed_in'].includes(expected)
    if (isOfRights) expect(mayCall(actor, asked)).toBe(expected === 'ok')
  })

  it('says to a key and to who acts as another what to do instead', async () => {
    const { run } = await door()
    const asked = operation({ policy: { scopes: ['global'], isSensitive: true } })

    await expect(run(caller(user({ key })), asked, {})).rejects.toThrow(/with an API key/)
    await expect(run(caller(user({ impersonator })), asked, {})).rejects.toThrow(/while acting as another person/)
  })

  it('tells the operation that its caller has to enrol', async () => {
    const { run } = await door()
    const asked = operation({ whileEnrolling: true, run: async ({ mustEnrol }) => ({ word: String(mustEnrol) }) })

    expect(await run(caller(user(), { session: session(0, 'factor') }), asked, {})).toMatchObject({
      value: { word: 'true' },
    })
    expect(await run(caller(user()), asked, {})).toMatchObject({ value: { word: 'false' } })
  })
})

describe('a refusal', () => {
  const fails = (error: Error) => ({ run: () => Promise.reject(error) })
  const busy = new WcpError('busy', 'Cannot do it')
  const broken = new Error('a bug')
  const full = Object.assign(new Error('disk I/O'), { code: 'SQLITE_FULL' })

  it.each<[string, Actor | null, Partial<AnyOperation<Context>>, unknown, string[]]>([
    ['of nobody', null, {}, {}, []],
    ['of a change', user(), fails(busy), {}, ['refused busy']],
    ['of a change by root', root, fails(busy), {}, ['refused busy']],
    ['of its input', user(), {}, { word: 7 }, ['refused bad_input word']],
    ['that is a failure', user(), fails(broken), {}, ['failed internal']],
    ['of reading', user(), { effect: 'read', ...fails(busy) }, {}, []],
    ['of reading without the permission', stranger, { effect: 'read' }, {}, ['refused forbidden']],
    ['by a store in trouble', user(), fails(full), {}, []],
  ])('%s is written down so', async (_, actor, over, input, expected) => {
    const { run, trail, told } = await door()

    await codeOf(run(caller(actor), operation(over), input))

    const entries = await trail()
    const words = entries.map(({ outcome, metadata }) =>
      [outcome, metadata.code, ...((metadata.fields as string[]) ?? [])].join(' '),
    )
    expect(words).toEqual(expected)
    for (const entry of entries)
      expect(entry).toMatchObject({
        action: 'package.try',
        actor: actor?.kind === 'root' ? 'root' : 'ann@example.org',
        ip: '192.0.2.7',
      })
    expect([told.changed, told.queued]).toEqual([0, 0])
  })

  it('names at most twenty fields', async () => {
    const { run, trail } = await door()
    const fields = Array.from({ length: 30 }, (_, index) => ({
      field: `f${index}`,
      problem: 'is bad',
      accepted: 'good',
    }))

    await codeOf(run(caller(user()), operation(fails(new WcpError('bad_input', 'Cannot', { fields }))), {}))

    expect((await trail())[0]?.metadata.fields).toEqual(fields.slice(0, 20).map(({ field }) => field))
  })

  it.each([
    ['a bug', broken, ['an operation failed']],
    ['a full disk', full, ['an operation failed']],
    ['somebody’s mistake', busy, []],
  ])('by %s is logged or not', async (_, error, expected) => {
    const { run, told } = await door()

    await codeOf(run(caller(user()), operation(fails(error)), {}))

    expect(told.logged).toEqual(expected)
  })

  it('is answered also when it cannot be written down', async () => {
    const { run, told, panel } = await door()
    await panel.db.schema.dropTable('audit_logs').execute()

    expect(await codeOf(run(caller(user()), operation(fails(busy)), {}))).toBe('busy')
    expect(told.logged).toEqual(['a refusal could not be written into the audit trail'])
  })

  const tenant = newId()
  const customer = user({ scope: { kind: 'local', tenant, user: newId() } })
  it.each<[string, User, (actor: User) => string]>([
    ['a customer, for the tenant', customer, () => `tenant ${tenant}`],
    ['staff, for the person', user(), ({ id }) => `person ${id}`],
    [
      'who acts as a customer, for the one who really acts',
      { ...customer, impersonator },
      () => `person ${impersonator.id}`,
    ],
  ])('is counted once there are too many, of %s', async (_, actor, owner) => {
    const asked: string[] = []
    let later: ((refusals: number) => Promise<void>) | undefined
    const isInFull: OperationRunnerOptions['repeats']['isInFull'] = (of, what, tell) => {
      asked.push(`${of}: ${what}`)
      later = tell
      return false
    }
    const { run, trail } = await door({ repeats: { isInFull } })

    await codeOf(run(caller(actor), operation(fails(busy)), {}))
    expect([asked, await trail()]).toEqual([[`${owner(actor)}: package.try busy`], []])
    await codeOf(run(caller(actor), operation(fails(broken)), {}))
    expect((await trail()).map(({ outcome }) => outcome)).toEqual(['failed'])

    await later?.(12)
    expect((await trail()).at(-1)).toMatchObject({
      outcome: 'refused',
      metadata: { code: 'busy', refusals: 12 },
      requestId: null,
    })
  })

  it('of root is never only counted', async () => {
    const { run, trail } = await door({ repeats: { isInFull: () => false } })

    await codeOf(run(caller(root), operation(fails(busy)), {}))

    expect(await trail()).toHaveLength(1)
  })

  it('of a forged form is written down, or counted', async () => {
    const { recordForgery, trail } = await door()
    await recordForgery(caller(user()), 'package.try')
    expect(await trail()).toMatchObject([{ outcome: 'refused', metadata: { code: 'forbidden' } }])

    const counting = await door({ repeats: { isInFull: () => false } })
    await counting.recordForgery(caller(user()), 'package.try')
    expect(await counting.trail()).toEqual([])
  })
})

describe('a change', () => {
  it('is written down with who asked from where and for what, without secrets', async () => {
    const { run, trail } = await door()
    const tenant = newId()
    const asked = operation({
      secret: ['password'],
      output: (() => z.object({ id: z.string() })) as never,
      run: async () => ({ id: 'x' }),
    })
    const input = { word: 'a', password: 'b' }
    await run(caller(user()), asked, input)
    await run(caller(user({ impersonator })), asked, { word: undefined })
    await run(caller(user({ key, scope: { kind: 'local', tenant, user: newId() } })), asked, {})

    expect(await trail()).toMatchObject([
      {
        actor: 'ann@example.org',
        outcome: 'ok',
        metadata: { input: { word: 'a' }, id: 'x' },
        ip: '192.0.2.7',
        requestId: 'r1',
        tenantId: null,
      },
      { actor: 'boss@example.org', actorId: impersonator.id, metadata: { input: {}, as: 'ann@example.org' } },
      { actor: 'ann@example.org', metadata: { key: key.id }, tenantId: tenant },
    ])
    expect(JSON.stringify(await trail())).not.toContain('password')
    expect((await trail())[0]?.metadata).not.toHaveProperty('jobs')
  })

  it('is told of, and its jobs, once it is stored; reading is not', async () => {
    const { run, told } = await door()
    const basic = (name: string) => run(caller(root), slices.package.create, { name })
    await basic('basic')
    expect([told.changed, told.queued]).toEqual([1, 0])

    const { jobIds } = await run(caller(root), slices.tenant.create, { name: 'bakery' })
    expect([told.changed, told.queued, jobIds.length]).toEqual([2, 1, 1])

    await run(caller(root), slices.package.list, {})
    expect([told.changed, told.queued]).toEqual([2, 1])
  })

  it('with a job names it and its tenant in the trail, and counts it for who asks', async () => {
    const counted: unknown[] = []
    const { run, trail } = await door({ countJob: (actor, tenant) => counted.push([actor.kind, tenant]) })
    await run(caller(root), slices.package.create, { name: 'basic' })
    const { value, jobIds } = await run(caller(root), slices.tenant.create, { name: 'bakery' })

    expect((await trail()).at(-1)).toMatchObject({ tenantId: value.id, metadata: { id: value.id, jobs: jobIds } })
    expect(counted).toEqual([['root', value.id]])
  })

  it('is not made when its job is one too many', async () => {
    const { run, panel, told } = await door({
      countJob: () => {
        throw new WcpError('too_many_requests', 'Cannot do so much')
      },
    })
    await run(caller(root), slices.package.create, { name: 'basic' })

    expect(await codeOf(run(caller(root), slices.tenant.create, { name: 'bakery' }))).toBe('too_many_requests')
    expect((await panel.run(slices.tenant.list, {})).items).toEqual([])
    expect(told.queued).toBe(0)
  })

  it('is not made when its answer is not as it should be', async () => {
    const { run, panel, told } = await door()
    const made = operation({
      run: async (context) => {
        await context.packages.insert(newId(), { name: 'half' } as never, null)
        return { word: 7 as never }
      },
    })

    expect(await codeOf(run(caller(root), made, {}))).toBe('internal')
    expect([(await panel.run(slices.package.list, {})).items, told.changed]).toEqual([[], 0])
  })

  it.each([
    ['package.try', 'read', 'ok'],
    ['package.try', 'write', 'unavailable'],
    ['package.try', 'machine', 'unavailable'],
    ['package.delete', 'write', 'ok'],
    ['package.delete', 'machine', 'ok'],
    ['package.suspend', 'machine', 'ok'],
    ['package.unsuspend', 'machine', 'unavailable'],
  ] as const)('on an almost full disk: %s of effect %s is %s', async (name, effect, expected) => {
    const { run } = await door({
      demandRoom: () => {
        throw new WcpError('unavailable', 'Cannot write: the disk is almost full')
      },
    })

    expect(await codeOf(run(caller(root), operation({ name, effect }), {}))).toBe(expected)
  })

  it.each([
    ['read', false, 'ok', 0],
    ['write', false, 'ok', 0],
    ['machine', false, 'setup_needed', 1],
    ['machine', true, 'ok', 1],
  ] as const)(
    'of effect %s before setup has ended, with an administrator there: %s',
    async (effect, isDone, expected, asked) => {
      let closed = 0
      const link = { ask: never, send: () => false, phpVersions: [], readOnly: null, setupOpen: true as boolean | null }
      const closeSetupIfDone = async () => {
        closed++
        if (isDone) link.setupOpen = false
      }
      const { run } = await door({ link, closeSetupIfDone })

      expect([await codeOf(run(caller(root), operation({ effect }), {})), closed]).toEqual([expected, asked])
    },
  )

  it('hashes each password once, between two runs of it, for the place of who really acts', async () => {
    const { run, told } = await door()
    let runs = 0
    const asked = operation({
      run: async ({ hashPassword }) => {
        runs++
        return { word: [await hashPassword('one'), await hashPassword('one'), await hashPassword('two')].join(', ') }
      },
    })

    const { value } = await run(caller(user({ impersonator })), asked, {})
    expect([value.word, runs]).toEqual(['hash of one, hash of one, hash of two', 3])
    expect(told.hashed.map((line) => line.split(' ').at(-1))).toEqual(['one', 'two'])
    expect(told.hashed[0]).toContain(impersonator.id)

    const ann = user()
    for (const actor of [ann, root]) await run(caller(actor), asked, {})
    expect([told.hashed[2]?.includes(ann.id), told.hashed[4]?.includes('root')]).toEqual([true, true])
  })

  it('may make another session only for who has one', async () => {
    const { run } = await door()
    const acted: unknown[] = []
    const asked = operation({
      run: async ({ session: own }) => {
        await own?.actAs(key.id)
        return { word: String(own !== null) }
      },
    })
    const actAs = async (tx: Db, whom: unknown) => void acted.push([tx.isTransaction, whom])

    expect(await run(caller(user(), { actAs }), asked, {})).toMatchObject({ value: { word: 'true' } })
    expect(await run(caller(user()), asked, {})).toMatchObject({ value: { word: 'false' } })
    expect(acted).toEqual([[true, key.id]])
  })
})

describe('a change for one version', () => {
  it.each([
    ['met', () => true, 'ok'],
    ['not met', () => false, 'precondition_failed'],
  ])('that is %s', async (_, precondition, expected) => {
    const { run, panel } = await door()
    await run(caller(root), slices.package.create, { name: 'basic' })
    const change = { package: 'basic', description: 'for most' }

    expect(await codeOf(run(caller(root), slices.package.update, change, { precondition }))).toBe(expected)
    const { description } = await panel.run(slices.package.get, { package: 'basic' })
    expect(description === 'for most').toBe(expected === 'ok')
  })

  it('judges what the thing is now, for who asks', async () => {
    const { run } = await door()
    await run(caller(root), slices.package.create, { name: 'basic' })
    await run(caller(root), slices.package.create, { name: 'large' })
    const seen: unknown[] = []
    const precondition = (present: unknown) => seen.push((present as { name: string }).name) > 0

    await run(caller(root), slices.package.update, { package: 'large', description: 'for some' }, { precondition })

    expect(seen).toEqual(['large'])
  })

  it('is refused where there is no one thing that can be read', async () => {
    const { run } = await door()
    const precondition = () => true

    expect(await codeOf(run(caller(root), slices.package.create, { name: 'basic' }, { precondition }))).toBe(
      'bad_input',
    )
  })
})

describe('a plan', () => {
  it('stores nothing and says what the machine would do', async () => {
    const asked: unknown[] = []
    const ask = (async (question: unknown) => {
      asked.push(question)
      return [[{ name: 'linux user', action: 'create', diff: null }]]
    }) as never
    const link = { ask, send: () => false, phpVersions: [], readOnly: null, setupOpen: false }
    const { run, plan, panel, trail, told } = await door({ link })
    await run(caller(root), slices.package.create, { name: 'basic' })
    const [before, changed] = [await trail(), told.changed]

    const jobs = await plan(caller(root), slices.tenant.create as AnyOperation<Context>, { name: 'bakery' })

    expect(jobs).toEqual([
      { type: 'tenant.create', changes: [{ name: 'linux user', action: 'create', diff: null }] },
      {
        type: 'store',
        changes: [{ step: 'tenant bakery', action: 'create', diff: '+ status: pending\n+ package: basic' }],
      },
    ])
    expect(asked).toMatchObject([{ t: 'plan', jobs: [{ type: 'tenant.create', payload: { name: 'bakery' } }] }])
    expect((await panel.run(slices.tenant.list, {})).items).toEqual([])
    expect([await trail(), told.changed, told.queued]).toEqual([before, changed, 0])
  })

  it('asks nobody when there is nothing to do', async () => {
    const { plan } = await door()

    expect(await plan(caller(root), operation({ effect: 'machine' }), {})).toEqual([])
  })

  it.each<[string, Actor | null, Partial<AnyOperation<Context>>, string]>([
    ['by nobody', null, { effect: 'machine' }, 'not_signed_in'],
    ['without the permission', stranger, { effect: 'machine' }, 'forbidden'],
    ['of what changes nothing', root, { effect: 'read' }, 'bad_input'],
  ])('%s is refused, and not written down', async (_, actor, over, expected) => {
    const { plan, trail } = await door()

    expect(await codeOf(plan(caller(actor), operation(over), {}))).toBe(expected)
    expect(await trail()).toEqual([])
  })

  it('before setup has ended is refused', async () => {
    const { plan } = await door({
      link: { ask: never, send: () => false, phpVersions: [], readOnly: null, setupOpen: true },
    })

    expect(await codeOf(plan(caller(root), operation({ effect: 'machine' }), {}))).toBe('setup_needed')
  })
})
