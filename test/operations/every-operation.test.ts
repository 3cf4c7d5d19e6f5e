/** What must hold for every operation, whatever it does; a new one is covered by being in the registry. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { z } from 'zod'
import { type AnyOperation, hasJsonBody, httpBinding } from '../../src/contract/operation.ts'
import type { Context } from '../../src/resources/context.ts'
import { exampleInput, operations } from '../../src/resources/index.ts'
import { type Answer, ask } from './support/client.ts'
import { inputFor, requestFor, type World, world } from './support/world.ts'

let here: World

beforeAll(async () => {
  here = await world({ refusalsInFull: 1_000_000 })
})

afterAll(() => here.test.stop())

const changing = operations.filter(({ effect }) => effect !== 'read')
const byName = (list: readonly AnyOperation<Context>[]) => list.map((operation) => [operation.name, operation] as const)
const takesBytes = ({ bytes }: AnyOperation<Context>) => bytes === 'body'
const pathKeys = (operation: AnyOperation<Context>) => httpBinding(operation).pathKeys

/** The reference in the address that names something which belongs to somebody. */
function ownedKey(operation: AnyOperation<Context>): string | undefined {
  return pathKeys(operation).find((key) => !['key', 'package', 'role'].includes(key))
}

function requiredKeys(operation: AnyOperation<Context>): string[] {
  const shape: Record<string, z.ZodType> = operation.input.shape
  const inBody = Object.entries(shape).filter(([key]) => !pathKeys(operation).includes(key))
  return inBody.flatMap(([key, field]) => (field.safeParse(undefined).success ? [] : [key]))
}

async function newest(action: string): Promise<Record<string, unknown>[]> {
  return (await here.test.root('GET', `/api/v1/audit?action=${action}&limit=200`)).json().items ?? []
}

/** Everything that an operation could have changed, but for the audit trail and when sessions were last used. */
async function state(): Promise<string> {
  const { db } = here.test.panel
  const tables = [
    'tenants',
    'domains',
    'domain_names',
    'packages',
    'package_limits',
    'users',
    'roles',
    'role_permissions',
    'user_roles',
    'resellers',
    'sessions',
    'api_keys',
    'mails',
    'one_time_links',
    'totp_factors',
    'recovery_codes',
    'settings',
    'jobs',
  ] as const
  const rows = []
  for (const table of tables) rows.push(await db.selectFrom(table).selectAll().orderBy('id').execute())
  // The panel notes the time by itself, once a minute.
  rows[tables.indexOf('settings')] = (rows[tables.indexOf('settings')] ?? []).filter(
    (row) => !('key' in row && row.key === 'housekeeping.clock'),
  )
  for (const row of rows.flat()) if ('last_seen_at' in row) row.last_seen_at = row.updated_at = row.idle_until = ''
  // What housekeeping notes by itself, a minute after the start.
  return JSON.stringify(rows.map((table) => table.filter((row) => !('key' in row && row.key === 'housekeeping.clock'))))
}

const fieldsOf = (answer: Answer) => answer.json().fields?.map(({ field }) => field) ?? []

describe.each(byName(operations))('%s', (name, operation) => {
  const request = (over: Record<string, unknown> = {}) =>
    requestFor(operation, { ...inputFor(operation, here), ...over })

  it('is not for nobody', async () => {
    const before = await state()

    const answer = await ask({ port: here.test.panel.port }, request())

    expect([answer.status, answer.json().code]).toEqual([401, 'not_signed_in'])
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/)
    expect(await state()).toBe(before)
  })

  it('is not for customers without its permission, and not about the things of others', async () => {
    const before = await state()
    const { method, path, body } = request()

    const { status, text } = await here.stranger.call(method, path, body)

    const { permissions } = await customerRights()
    const names = pathKeys(operation).filter((key) => !['key', 'package', 'role'].includes(key))
    const example = exampleInput(operation)
    const isAboutOthers = names.length > 0 || name === 'domain.create' || 'tenant' in example || 'domain' in example
    if (!permissions.has(name) && !operation.isForEveryone)
      expect([status, text]).toEqual([403, expect.stringContaining(`\\"${name}\\"`)])
    else if (isAboutOthers) expect([status, text]).toEqual([404, expect.stringContaining('Cannot find')])
    else expect(text).not.toMatch(/bakery|baker@/)
    expect(await state()).toBe(before)
  })

  it('names a field that it does not know', async () => {
    const before = await state()
    const { method, path, body } = request({ tenant_id: 'x', isAdmin: true })

    const answer = await here.admin.call(method, path, body)

    expect(answer.status).toBe(422)
    expect(fieldsOf(answer)).toEqual(expect.arrayContaining(['tenant_id', 'isAdmin']))
    expect(await state()).toBe(before)
  })
})

describe.each(byName(operations.filter(ownedKey)))('%s about what somebody else has', (_, operation) => {
  const request = (over: Record<string, unknown> = {}) =>
    requestFor(operation, { ...inputFor(operation, here), ...over })

  it('gives for the things of others the answer for what does not exist', async () => {
    const key = ownedKey(operation) ?? ''
    const nothing = '00000000-0000-4000-8000-000000000000'
    const theirs = request()
    const none = request({ [key]: nothing })
    const own = String(inputFor(operation, here)[key])

    const [about, without] = [
      await here.stranger.call(theirs.method, theirs.path, theirs.body),
      await here.stranger.call(none.method, none.path, none.body),
    ]

    const comparable = (answer: Answer) => answer.text.replaceAll(own, nothing).replace(/urn:wcp360:request:[\w-]+/, '')
    expect([about.status, comparable(about)]).toEqual([without.status, comparable(without)])
  })
})

describe.each(byName(operations.filter((one) => requiredKeys(one).length > 0)))(
  '%s with required fields',
  (_, operation) => {
    it('names each field that is missing or wrong', async () => {
      const required = requiredKeys(operation)
      const given = Object.fromEntries(pathKeys(operation).map((key) => [key, inputFor(operation, here)[key]]))
      const empty = requestFor(operation, given)
      const wrong = requestFor(operation, {
        ...given,
        ...Object.fromEntries(required.map((key) => [key, [['../$(id)']]])),
      })
      const before = await state()

      const missing = await here.admin.call(empty.method, empty.path, empty.body)
      const mistyped = await here.admin.call(wrong.method, wrong.path, wrong.body)

      const names = required.sort()
      expect([missing.status, fieldsOf(missing).sort()]).toEqual([422, names])
      expect(mistyped.status).toBe(422)
      expect([...new Set(fieldsOf(mistyped).map((field) => field.split('.')[0]))].sort()).toEqual(names)
      expect(await state()).toBe(before)
    })
  },
)

describe.each(byName(operations.filter((one) => pathKeys(one).length > 0 || hasJsonBody(one))))(
  '%s with hostile words',
  (_, operation) => {
    const request = (over: Record<string, unknown> = {}) =>
      requestFor(operation, { ...inputFor(operation, here), ...over })

    it.each(["';id>/tmp/p", '$(id)', '`id`', '-rf', '../../etc', 'a\nb', '\u0000', 'x'.repeat(200_000)])(
      'takes no hostile word (number %#) for a reference',
      async (payload) => {
        const [key] = pathKeys(operation)
        const other = Object.keys(operation.input.shape).find((one) => !pathKeys(operation).includes(one))
        const inPath = key !== undefined && payload.length < 1000
        const { method, path, body } = request(inPath ? { [key]: payload } : { [other ?? '']: payload })
        const before = await state()

        const answer = await here.admin.call(method, path, body)

        expect([404, 413, 422, 431]).toContain(answer.status)
        expect(await state()).toBe(before)
      },
    )
  },
)

describe.each(byName(operations.filter(hasJsonBody)))('%s with a body', (_, operation) => {
  const request = (over: Record<string, unknown> = {}) =>
    requestFor(operation, { ...inputFor(operation, here), ...over })

  it('reads one kind of body only', async () => {
    const before = await state()
    const { method, path } = request()
    const token = { 'x-csrf-token': await here.admin.token(), 'sec-fetch-site': 'same-origin' }
    const send = async (body: string, type = 'application/json') =>
      (await here.admin.ask({ method, path, body, headers: { ...token, 'content-type': type } })).status

    expect(await send('[]')).toBe(422)
    expect(await send('"text"')).toBe(422)
    expect(await send('null')).toBe(422)
    expect(await send('{"a":1,"a":2}')).toBe(400)
    expect(await send('{"__proto__":{"role":"system_admin"}}')).toBe(400)
    expect(await send('{"constructor":{"prototype":{}}}')).toBe(400)
    expect(await send(`{"a":${'['.repeat(5000)}${']'.repeat(5000)}}`)).toBe(400)
    expect(await send('{"a":')).toBe(400)
    expect(await send('name=x', 'application/x-www-form-urlencoded')).toBe(400)
    expect(await send('{}', 'text/plain')).toBe(400)
    expect(await send(`{"a":"${'x'.repeat(200_000)}"}`)).toBe(422)
    expect(await send(`{"a":"${'x'.repeat(300_000)}"}`)).toBe(413)
    expect(await state()).toBe(before)
  })

  it('takes its fields from the body only, and those of the address from there only', async () => {
    const { method, path, body } = request()
    const [key] = pathKeys(operation)

    const inQuery = await here.admin.call(method, `${path}?description=x`, body)
    expect([inQuery.status, fieldsOf(inQuery)]).toEqual([422, ['description']])
    if (key === undefined) return
    const twice = await here.admin.call(method, path, { ...body, [key]: 'other' })
    expect([twice.status, fieldsOf(twice)]).toEqual([422, [key]])
  })
})

describe.each(byName(operations.filter((one) => !hasJsonBody(one) && !takesBytes(one))))(
  '%s without a body',
  (_, operation) => {
    const request = (over: Record<string, unknown> = {}) =>
      requestFor(operation, { ...inputFor(operation, here), ...over })

    it('takes no body', async () => {
      const { method, path } = request()

      expect((await here.admin.call(method, path, { a: 1 })).status).toBe(400)
    })
  },
)

describe.each(byName(operations.filter(takesBytes)))('%s with bytes', (_, operation) => {
  const request = () => requestFor(operation, inputFor(operation, here))
  const send = async (body: string, more: Record<string, string>) => {
    const token = { 'x-csrf-token': await here.admin.token(), 'sec-fetch-site': 'same-origin' }
    return await here.admin.ask({ ...request(), body, headers: { ...token, ...more } })
  }

  it('takes bytes, and no other kind of body', async () => {
    const json = await send('{"a":1}', { 'content-type': 'application/json' })
    expect([json.status, fieldsOf(json)]).toEqual([422, ['body']])
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'])
      expect((await send('a=1', { 'content-type': type })).status, type).toBe(400)
    expect((await send('a=1', { 'content-type': 'application/octet-stream' })).status).toBe(200)
  })

  it('takes none without the token of the browser, too many, or with a key that repeats it', async () => {
    const type = { 'content-type': 'application/octet-stream' }
    expect((await send('a', { ...type, 'x-csrf-token': 'x' })).status).toBe(403)
    expect((await send('a', { ...type, 'sec-fetch-site': 'same-site' })).status).toBe(401)
    expect((await send('a', { ...type, 'idempotency-key': 'k1' })).status).toBe(422)
    expect((await send('a', { ...type, 'content-length': String(17 * 1024 ** 3) })).status).toBe(413)
  })
})

describe.each(byName(operations.filter(({ effect }) => effect === 'read')))(
  '%s, which changes nothing,',
  (_, operation) => {
    it('cannot be planned', async () => {
      const { method, path, body } = requestFor(operation, inputFor(operation, here), true)

      const answer = await here.admin.call(method, path, body)

      expect([answer.status, fieldsOf(answer)]).toEqual([422, ['plan']])
    })
  },
)

describe.each(byName(changing))('the audit trail of %s', (name, operation) => {
  it('gets one entry for each refusal, and none for a plan', async () => {
    const { method, path, body } = requestFor(operation, { ...inputFor(operation, here), unknown: 'canary-value' })
    const before = await newest(name)

    await here.admin.call(method, path, body)

    const after = await newest(name)
    expect(after.length - before.length).toBe(1)
    expect(after[0]).toMatchObject({
      action: name,
      actor: 'admin@example.com',
      outcome: 'refused',
      ip: '127.0.0.1',
      metadata: { code: 'bad_input', fields: ['unknown'] },
    })
    expect(JSON.stringify(after[0])).not.toContain('canary-value')
  })
})

describe('a machine operation', () => {
  const nothingToDo = new Map([
    ['unsuspend', 409],
    ['restore', 404], // nothing of that name is in the trash
  ])

  it.each(byName(operations.filter(({ effect }) => effect === 'machine')))(
    'plans %s without changing anything',
    async (name, operation) => {
      const before = [await state(), (await newest(name)).length]
      const jobsBefore = here.test.machine.heard.filter(({ t }) => t === 'job').length
      const { method, path, body } = requestFor(operation, inputFor(operation, here), true)

      const answer = await here.admin.call(method, path, body)

      // Unsuspend and restore have nothing to do here; that they say so is as good as a plan.
      if (answer.status === 200) expect(answer.json().plan).toBeInstanceOf(Array)
      else expect(answer.status).toBe(nothingToDo.get(name.split('.')[1] ?? ''))
      expect([await state(), (await newest(name)).length]).toEqual(before)
      expect(here.test.machine.heard.filter(({ t }) => t === 'job')).toHaveLength(jobsBefore)
    },
  )

  it('shows what each of its jobs would change', async () => {
    const answer = await here.admin.call('POST', '/api/v1/tenants?plan=1', {
      name: 'florist',
      domain: 'florist.example.com',
    })

    expect(answer.json().plan).toMatchObject([
      { type: 'tenant.create', changes: [{ step: 'step of tenant.create', action: 'create' }] },
      { type: 'domain.create', changes: [{ step: 'step of domain.create', action: 'create' }] },
      { type: 'store' },
    ])
  })
})

describe('a change', () => {
  it('leaves one entry with its input and no secret', async () => {
    const secret = 'canary of a password'
    const answer = await here.admin.call('POST', '/api/v1/users', {
      email: 'canary@example.com',
      password: secret,
      role: 'system_admin',
    })

    expect(answer.status).toBe(201)
    expect((await newest('user.create'))[0]).toMatchObject({
      outcome: 'ok',
      actor: 'admin@example.com',
      metadata: { id: answer.json().id, input: { email: 'canary@example.com', role: 'system_admin' } },
    })
    const kept = JSON.stringify([await newest('user.create'), here.test.log])
    expect(kept).not.toContain(secret)
  })

  it('leaves a trail that verifies after all of this', async () => {
    expect((await here.test.root('GET', '/api/v1/audit/verify')).json()).toMatchObject({ ok: true, problems: [] })
  })

  it('is not possible at all when the trail cannot be written', async () => {
    const { db } = here.test.panel
    await db.schema.alterTable('audit_logs').renameTo('audit_logs_away').execute()
    const before = await state()

    const answer = await here.test.root('POST', '/api/v1/packages', { name: 'untold' })

    expect(answer.status).toBe(500)
    expect(await state()).toBe(before)
    expect((await here.test.root('GET', '/api/v1/packages')).status).toBe(200)
    await db.schema.alterTable('audit_logs_away').renameTo('audit_logs').execute()
  })
})

describe('fifty wishes at once', () => {
  it('grant as many as the limit allows, and refuse the rest', async () => {
    await here.test.root('POST', '/api/v1/packages', { name: 'single', maxDomains: 1 })
    const tenant = await here.test.root('POST', '/api/v1/tenants', { name: 'kiosk', package: 'single' })
    expect(tenant.status).toBe(202)

    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        here.test.root('POST', '/api/v1/domains', { tenant: 'kiosk', fqdn: `kiosk${index}.example.net` }),
      ),
    )

    const counts = Object.groupBy(answers, ({ status }) => String(status))
    expect([counts['202']?.length, counts['409']?.length]).toEqual([1, 49])
  })
})

async function customerRights() {
  const { db } = here.test.panel
  const rows = await db
    .selectFrom('permissions')
    .innerJoin('role_permissions', 'role_permissions.permission_id', 'permissions.id')
    .innerJoin('roles', 'roles.id', 'role_permissions.role_id')
    .where('roles.name', '=', 'user')
    .select('permissions.name')
    .execute()
  return { permissions: new Set(rows.map(({ name }) => name)) }
}
