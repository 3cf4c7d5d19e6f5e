/**
 * Everybody × every operation × whose things: made from the registry, so that a new operation is in it from its first day.
 * What is allowed follows from policies and roles and is computed here; what was answered is kept in `matrix.txt`, where a
 * change of anybody's rights is seen in review (threats C15, C22).
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ErrorCode, errorTable } from '../../src/contract/errors.ts'
import { type AnyOperation, httpBinding, kindOf, verbOf } from '../../src/contract/operation.ts'
import { parseCommandLine, toCommandLine } from '../../src/lib/command-spec.ts'
import { query } from '../../src/lib/safe-url.ts'
import { splitWords } from '../../src/lib/words.ts'
import { type FormValues, valuesFrom } from '../../src/panel/pages/form-values.ts'
import { detailPath, listPath } from '../../src/panel/pages/places.ts'
import type { Context } from '../../src/resources/context.ts'
import { exampleInput, operations } from '../../src/resources/index.ts'
import { localCertificate } from '../support/local-certificate.ts'
import { type Answer, ask, type Browser } from './support/client.ts'
import { realPages } from './support/real-pages.ts'
import { resetExampleSite } from './support/scripted-agent.ts'
import { type Ended, openShell, rootShell, type Shell } from './support/shell.ts'
import { storeImage } from './support/store-image.ts'
import { password, proofsAtRest, type TestPanel, testPanel, until } from './support/test-panel.ts'
import { exampleKinds, makeExamples, requestFor } from './support/world.ts'

type Input = Record<string, unknown>
type Operation = AnyOperation<Context>

/** Somebody's things, under the words that inputs have for them. */
interface Things {
  readonly tenant: string
  readonly domain: string
  /** A domain that is not proven. */
  readonly waiting: string
  readonly package: string
  readonly user: string
  readonly job: string
  readonly reseller: string
  readonly apiKey: string
  /** Of kinds that say how one is made. */
  readonly [example: string]: string
}

/** `customers`: of customer A, who is a customer of reseller 1. `panels`: of the panel itself. */
type Whose = 'customers' | 'panels'

interface Person {
  readonly name: string
  readonly browser: Browser
  readonly shell: Shell
  /** Of whose things this person reaches which; `all`: of everybody's all. */
  readonly reaches: 'all' | readonly (keyof Things)[]
  readonly scope: 'global' | 'reseller' | 'local' | null
  readonly isActing?: true
  /** A program with an API key. */
  readonly isKey?: true
}

const nowhere = '00000000-0000-4000-8000-000000000000'
const nothing: Things = {
  ...{
    tenant: nowhere,
    domain: nowhere,
    waiting: nowhere,
    package: nowhere,
    user: nowhere,
    job: nowhere,
    reseller: nowhere,
    apiKey: nowhere,
    ...Object.fromEntries([...exampleKinds().keys()].map((key) => [key, nowhere])),
  },
}

let test: TestPanel
let setup: TestPanel
let image: Awaited<ReturnType<typeof storeImage>>
let people: Person[]
let things: Record<Whose, Things>
let grants: Map<string, 'all' | ReadonlySet<string>>

const helperMay = [
  'tenant.list',
  'tenant.get',
  'tenant.suspend',
  'domain.list',
  'domain.get',
  'package.get',
  'job.list',
]

const keyMay = ['tenant.get', 'domain.list', 'domain.get', 'domain.delete']
/** All that a key can be for. */
const forKeys = operations.flatMap(({ name, policy }) => (policy.isSensitive ? [] : [name]))

beforeAll(async () => {
  const tls = localCertificate()
  test = await testPanel({ registerPages: realPages, tls })
  setup = await testPanel({ machine: { setupOpen: true }, tls })
  const shellAt = ({ panel: { port } }: TestPanel, key?: string) =>
    openShell({ port, certificate: tls.cert, ...(key !== undefined && { key }) })
  const make = async (path: string, body: Input) => {
    const answer = await test.root('POST', `/api/v1/${path}`, body)
    if (answer.status > 202) throw new Error(`${path}: ${answer.text}`)
    return answer.json() as { id: string; jobId: string; token?: string }
  }
  const [one, two] = ['one@seller.example', 'two@seller.example']
  const account = (email: string, role: string, tenant?: string) =>
    make('users', { email, password, role, ...(tenant && { tenant }) })
  const { id: ours } = await make('packages', { name: 'ours' })
  const { id: firstSeller } = await make('resellers', { email: one, password })
  await make('resellers', { email: two, password })
  const { id: third } = await make('resellers', { email: 'three@seller.example', password })
  const { id: basic } = await make('packages', { name: 'basic', reseller: one })
  await make('packages', { name: 'basic', reseller: two })
  await make('roles', { name: 'helper', scope: 'global', permissions: helperMay })
  await make('roles', { name: 'viewer', scope: 'local', permissions: ['domain.list'] })

  const bakery = await make('tenants', { name: 'bakery', reseller: one })
  const bread = await make('domains', { tenant: 'bakery', fqdn: 'bakery.example.com' })
  const baker = await account('baker@example.com', 'user', 'bakery')
  await make('tenants', { name: 'butcher', reseller: two })
  await account('butcher@example.com', 'user', 'butcher')
  await make('tenants', { name: 'closed', reseller: one })
  await account('closed@example.com', 'user', 'closed')
  const palace = await make('tenants', { name: 'palace' })
  const hall = await make('domains', { tenant: 'palace', fqdn: 'palace.example.com' })
  await account('king@example.com', 'user', 'palace')
  const staff = await account('staff@example.com', 'system_admin')
  await account('admin@example.com', 'system_admin')
  await account('helper@example.com', 'helper')

  await make('webhooks', { name: 'ops', url: 'https://hooks.example.com/wcp360' })
  // Switched off, so that nothing is sent and changes the store by itself.
  await test.root('PATCH', '/api/v1/webhooks/ops', { isActive: false })

  const keyOf = async (user: string, name: string, scopes: readonly string[]) => {
    const { id, token } = await make(`users/${user}/api-keys`, { name, scopes })
    const browser = test.browser()
    browser.key = String(token)
    return { id, reached: { browser, shell: await shellAt(test, String(token)) } }
  }
  const program = await keyOf(baker.id, 'deploy', keyMay)
  const watcher = await keyOf('admin@example.com', 'watch', forKeys)
  const other = await keyOf(staff.id, 'other', ['tenant.list'])

  const waiting = async (email: string, tenant: string, fqdn: string) => {
    const customer = test.browser()
    await customer.signIn(email, password)
    const { json } = await customer.call('POST', '/api/v1/domains', { tenant, fqdn })
    return String(json().id)
  }
  things = {
    customers: {
      tenant: bakery.id,
      domain: bread.id,
      waiting: await waiting('baker@example.com', 'bakery', 'cakes.example.net'),
      package: basic,
      user: baker.id,
      job: bread.jobId,
      reseller: firstSeller,
      apiKey: program.id,
      ...Object.fromEntries(await makeExamples(make)),
    },
    panels: {
      tenant: palace.id,
      domain: hall.id,
      waiting: await waiting('king@example.com', 'palace', 'palace.example.net'),
      package: ours,
      user: staff.id,
      job: hall.jobId,
      reseller: third,
      apiKey: other.id,
      ...Object.fromEntries(
        await makeExamples(make, (key) => ({
          ...{ tenant: 'palace', domain: 'palace.example.com', database: 'palace' },
          name: key === 'databaseUser' ? 'prince' : 'palace',
        })),
      ),
    },
  }
  await settled()
  const signedIn = async (email: string) => {
    const browser = test.browser()
    expect((await browser.signIn(email, password)).status).toBe(303)
    await browser.token() // who is suspended later comes with this session's
    const shell = await shellAt(test)
    expect(await shell.wcp(['login', email], { password })).toMatchObject({ exit: 0 })
    return { browser, shell }
  }
  const withoutSession = async (at: TestPanel) => {
    const browser = at.browser()
    await browser.token()
    return { browser, shell: await shellAt(at), reaches: [], scope: null }
  }
  const own = ['tenant', 'domain', 'waiting', 'package', 'user', 'job', 'apiKey', ...exampleKinds().keys()]
  people = [
    { name: 'nobody', ...(await withoutSession(test)) },
    { name: 'before setup', ...(await withoutSession(setup)) },
    { name: 'suspended', ...(await signedIn('closed@example.com')), reaches: [], scope: null },
    { name: 'customer A', ...(await signedIn('baker@example.com')), reaches: own, scope: 'local' },
    { name: 'customer B', ...(await signedIn('butcher@example.com')), reaches: [], scope: 'local' },
    { name: 'reseller 1', ...(await signedIn(one)), reaches: [...own, 'reseller'], scope: 'reseller' },
    { name: 'reseller 2', ...(await signedIn(two)), reaches: [], scope: 'reseller' },
    { name: 'helper', ...(await signedIn('helper@example.com')), reaches: 'all', scope: 'global' },
    { name: 'admin as A', ...(await signedIn('staff@example.com')), reaches: own, scope: 'local', isActing: true },
    { name: 'admin', ...(await signedIn('admin@example.com')), reaches: 'all', scope: 'global' },
    { name: 'key of A', ...program.reached, reaches: own, scope: 'local', isKey: true },
    { name: 'key of admin', ...watcher.reached, reaches: 'all', scope: 'global', isKey: true },
  ]
  const acting = people.find(({ isActing }) => isActing)
  await acting?.browser.call('POST', `/api/v1/users/${baker.id}/impersonate`)
  if (acting) await goOnInShell(acting)
  await test.root('POST', '/api/v1/tenants/closed/suspend')
  await settled()
  grants = new Map<string, 'all' | ReadonlySet<string>>([
    ['customer A', await rightsOf('user')],
    ['customer B', await rightsOf('user')],
    ['admin as A', await rightsOf('user')],
    ['reseller 1', await rightsOf('reseller')],
    ['reseller 2', await rightsOf('reseller')],
    ['helper', new Set(helperMay)],
    ['admin', 'all'],
    ['key of A', new Set(keyMay)],
    ['key of admin', new Set(forKeys)],
  ])
  // So that a use of a key or a session is no change to be seen here, and nothing depends on how long all of this takes.
  const farOff = '2999-01-01T00:00:00.000Z'
  const lasting = { last_seen_at: farOff, confirmed_at: farOff, idle_until: farOff, expires_at: farOff }
  await test.panel.db.updateTable('api_keys').set({ last_used_at: farOff }).execute()
  await test.panel.db.updateTable('sessions').set(lasting).execute()
  await proofsAtRest(test.panel)
  image = await storeImage(test.panel.db)
})

afterAll(async () => {
  for (const { shell } of people ?? []) shell.remove()
  await test?.stop()
  await setup?.stop()
})

/** Who acts as another began it in a browser; the secret of that session is what a shell gets its tokens for. */
async function goOnInShell({ browser, shell }: Person): Promise<void> {
  const { email } = shell.kept.session ?? {}
  const session = { email: String(email), secret: String(browser.cookie), token: '', expiresAt: '2000-01-01T00:00:00Z' }
  shell.kept = { fingerprint: null, session, key: null }
  expect(await shell.wcp(['tenant', 'list'])).toMatchObject({ exit: 0 })
}

async function settled(): Promise<void> {
  const active = async (state: string) => (await test.root('GET', `/api/v1/jobs?state=${state}`)).json().items?.length
  await until(async () => (await active('queued')) === 0 && (await active('running')) === 0)
}

async function rightsOf(role: string): Promise<ReadonlySet<string>> {
  return new Set((await test.root('GET', `/api/v1/roles/${role}`)).json().permissions as string[])
}

/** An input that would work on these things. A new operation needs a line only if it asks for more than references. */
function inputFor({ name, input }: Operation, of: Things): Input {
  const more: Readonly<Record<string, Input>> = {
    'tenant.create': { name: 'florist' },
    'tenant.update': { package: of.package },
    'domain.create': { tenant: of.tenant, fqdn: 'cakes.example.org' },
    'domain.proofs': { domain: of.waiting },
    'domain.verify': { domain: of.waiting },
    'domain.vouch': { domain: of.waiting },
    'domain.update': { aliases: [] },
    'domain.run': { command: ['php', '-v'] },
    'package.create': { name: 'large' },
    'package.update': { description: 'for most' },
    'user.create': { email: 'new@example.com', password, role: 'user', tenant: of.tenant },
    'user.update': { email: 'renamed@example.com' },
    'user.invite': { email: 'guest@example.com', role: 'user', tenant: of.tenant },
    'user.change-email': { email: 'moved@example.com' },
    'mail.retry': { mail: nowhere },
    ...webhookInputs,
    'webhook.create': { name: 'other', url: 'https://hooks.example.com/wcp360' },
    'webhook.redeliver': { webhook: 'ops', delivery: nowhere },
    'mail.test': { to: 'somebody@example.com' },
    'role.get': { role: 'viewer' },
    'role.create': { name: 'editor', scope: 'local', permissions: ['domain.get'] },
    'role.update': { role: 'viewer', permissions: ['domain.get'] },
    'role.delete': { role: 'viewer' },
    'role.restore': { role: 'viewer' },
    'role.grant': { role: 'viewer', user: of.user },
    'role.revoke': { role: 'viewer', user: of.user },
    'reseller.create': { email: 'other@example.com', password },
    'reseller.update': { maxTenants: 50 },
    'session.revoke': { session: nowhere },
    'ssh-session.end': { sshSession: nowhere },
    'session.revoke-all': { user: of.user },
    'display.get': { user: of.user },
    'display.update': { user: of.user, timeZone: 'Europe/Zurich' },
    'totp.get': { user: of.user },
    'totp.create': { user: of.user },
    'totp.confirm': { user: of.user, code: '123456' },
    'totp.renew-codes': { user: of.user },
    'totp.delete': { user: of.user },
    'api-key.create': { user: of.user, name: 'another', scopes: ['domain.list'] },
    'api-key.get': { apiKey: of.apiKey },
    'api-key.revoke': { apiKey: of.apiKey },
    'api-key.restore': { apiKey: of.apiKey },
    'client-certificate.create': { user: of.user, name: 'laptop', certificate: 'a certificate' },
    'client-certificate.delete': { certificate: nowhere },
    'policy.update': { role: 'user', secondFactor: 'optional' },
    'audit.list': { limit: 5 },
    'audit.export': { limit: 5 },
    'settings.get': { key: 'jobs.keep_days' },
    'settings.update': { key: 'jobs.keep_days', value: '30' },
  }
  const own = Object.entries(of).filter(([kind]) => name.startsWith(`${kind}.`) && kind in input.shape)
  const subjects = [...exampleKinds().keys()].filter((key) => key in input.shape).map((key) => [key, of[key]] as const)
  const example = Object.entries(exampleInput({ name })).map(([key, value]) => [key, of[key] ?? value] as const)
  return { ...Object.fromEntries([...own, ...subjects, ...example]), ...more[name] }
}

const webhookInputs = Object.fromEntries(
  ['get', 'update', 'delete', 'restore', 'test', 'deliveries'].map((verb) => [`webhook.${verb}`, { webhook: 'ops' }]),
)

/** Kinds of things that an input of this operation names. */
function subjectsOf(operation: Operation): (keyof Things)[] {
  const marks = inputFor(operation, {
    ...nothing,
    ...Object.fromEntries(Object.keys(nothing).map((key) => [key, key])),
  })
  return (Object.keys(nothing) as (keyof Things)[]).filter((key) => Object.values(marks).includes(key))
}

const isPlanned = ({ effect }: Operation) => effect === 'machine'

async function byRest({ browser }: Person, operation: Operation, input: Input): Promise<Answer> {
  const { method, path, body } = requestFor(operation, input, isPlanned(operation))
  return browser.call(method, path, body)
}

/** Does it, sees whether anything has changed, and puts everything back. */
async function undone<T>(person: Person, deed: () => Promise<T>): Promise<{ result: T; changed: string[] }> {
  const { cookie } = person.browser
  const { kept } = person.shell
  const result = await deed()
  const changed = await image.restore()
  resetExampleSite()
  person.browser.cookie = cookie
  if (JSON.stringify(person.shell.kept) !== JSON.stringify(kept)) person.shell.kept = kept
  return { result, changed: changed.sort() }
}

/** What policies and roles say, without asking the panel. */
function expected(person: Person, operation: Operation, whose: Whose): 401 | 403 | 'not found' | 'kept off' | 'theirs' {
  if (person.name === 'before setup') return 403
  const { scope } = person
  if (scope === null) return 401
  const rights = grants.get(person.name) ?? new Set()
  const isHeld = rights === 'all' || rights.has(operation.name)
  if (person.isKey && (!isHeld || operation.policy.isSensitive)) return 403
  if (ownersOnly.includes(operation.name) || (!isHeld && operation.isForEveryone))
    return ownAccount(person, operation, whose)
  if (!isHeld || !operation.policy.scopes.includes(scope)) return 403
  if (person.isActing && operation.policy.isSensitive) return 403
  const isOut = (kind: keyof Things) =>
    person.reaches !== 'all' && (whose === 'panels' || !person.reaches.includes(kind))
  return subjectsOf(operation).some(isOut) ? 'not found' : 'theirs'
}

/** These show or take what only the owner of the account may have: no permission opens those of others. */
const ownersOnly = [
  'api-key.create',
  'display.update',
  'totp.create',
  'totp.confirm',
  'totp.renew-codes',
  'client-certificate.create',
  'user.change-email',
]

/** What everybody may do with their own account, and with no other. */
function ownAccount(person: Person, operation: Operation, whose: Whose) {
  if (person.isActing && operation.policy.isSensitive) return 403
  const isSelf = whose === 'customers' && person.name.endsWith('A')
  return isSelf || !subjectsOf(operation).includes('user') ? 'theirs' : 'kept off'
}

/** Ids and names taken out, so that two refusals can be compared. */
function comparable(answer: Answer, of: Things): string {
  const text = Object.values(of).reduce((all, id) => all.replaceAll(id, '?'), answer.text)
  return `${answer.status} ${text.replace(/urn:wcp360:request:[\w-]+/, '')}`
}

const rows = new Map<string, string[]>()

describe.each(operations.map((operation) => [operation.name, operation] as const))('%s', (name, operation) => {
  it.each(['customers', 'panels'] as const)(
    'about the %s things answers everybody as policies and roles say',
    async (whose) => {
      for (const person of people) {
        const input = inputFor(operation, things[whose])
        const { result: answer, changed } = await undone(person, () => byRest(person, operation, input))
        const cell = `${person.name}: ${answer.status}`
        rows.set(name, [...(rows.get(name) ?? []), `${whose} ${cell}`])

        const should = expected(person, operation, whose)
        if (should === 'theirs') expect([401, 403], cell).not.toContain(answer.status)
        else if (should === 'not found') {
          const none = await undone(person, () => byRest(person, operation, inputFor(operation, nothing)))
          // What is named in the body and is not there is a wrong field.
          expect([404, 422], cell).toContain(answer.status)
          expect(comparable(answer, things[whose]), cell).toBe(comparable(none.result, nothing))
        } else if (should === 'kept off') expect([403, 404], cell).toContain(answer.status)
        else expect(answer.status, cell).toBe(should)
        if (answer.status >= 400 || operation.effect !== 'write') expect(changed, cell).toEqual([])
        if (answer.status === 200) expectNothingForeign(person, answer)

        const command = await undone(person, () => byCommand(person, operation, input))
        const isOfBrowsers = operation.name === 'user.impersonate' && answer.status === 200
        if (isOfBrowsers) expect([command.result.exit, command.changed], cell).toEqual([errorTable.conflict.exit, []])
        else expectSame(operation, answer, command, cell, changed)
        if (whose === 'customers') await expectSameInBrowser(person, operation, input, answer, changed)
      }
    },
    120_000,
  )

  it('is the same request as a command, for root too', async () => {
    const input = inputFor(operation, things.customers)
    const line = toCommandLine(operation, input)
    const { input: read } = parseCommandLine(splitWords(line), operations)

    const secrets = Object.fromEntries((operation.secret ?? []).map((key) => [key, input[key]]))
    expect(requestFor(operation, { ...read, ...secrets })).toEqual(requestFor(operation, input))
    const { method, path, body } = requestFor(operation, input, isPlanned(operation))
    const answer = await ask({ socketPath: test.panel.cliSocket }, { method, path, ...(body && { body }) })
    const changed = (await image.restore()).sort()
    resetExampleSite()
    const result = await byCommand({ shell: rootShell(test.panel.cliSocket) }, operation, input)
    expectSame(operation, answer, { result, changed: (await image.restore()).sort() }, 'root', changed)
  })
})

describe('a new password', () => {
  it('is asked for by the command, and typed on the terminal page', async () => {
    const admin = people.find(({ name }) => name === 'admin')
    if (admin === undefined) throw new Error('nobody is admin')
    const words = ['user', 'update', 'baker@example.com', '--password']
    const line = (typed: string) => admin.browser.form('/terminal', { line: [...words, typed].join(' ') })
    const shown = async () => (await admin.browser.ask({ path: '/terminal' })).text

    const asked = await undone(admin, () => admin.shell.wcp(words, { password: 'battery staple horse' }))
    const typed = await undone(admin, () => line("'battery staple horse'"))
    const unsaid = await undone(admin, () => line(''))

    expect([asked.result.exit, asked.changed]).toEqual([0, ['users']])
    expect([typed.changed, unsaid.changed]).toEqual([['users'], []])
    expect(await shown()).toContain('needs a value')
    expect(await shown()).not.toContain('staple')
  })
})

describe('the whole matrix', () => {
  const widthOf = ({ name }: Person) => Math.max(name.length, 'own all'.length) + 2

  it('is the one that was looked at', async () => {
    const lines = [...rows].map(([name, cells]) => {
      const status = (whose: Whose, person: Person) =>
        cells.find((cell) => cell.startsWith(`${whose} ${person.name}:`))?.replace(/.*: /, '') ?? '?'
      const columns = people.map((person) => {
        const [own, other] = [status('customers', person), status('panels', person)]
        return (own === other ? own : `${own} ${other}`).padEnd(widthOf(person))
      })
      return `${`${name} `.padEnd(28)}${columns.join('')}`.trimEnd()
    })
    const head = `${' '.repeat(28)}${people.map((person) => person.name.padEnd(widthOf(person))).join('')}`.trimEnd()

    await expect(`${explanation}\n${head}\n${lines.join('\n')}\n`).toMatchFileSnapshot('matrix.txt')
  })
})

const explanation = `HTTP status of each operation: about the things of customer A, who is a customer of reseller 1, and, where it differs,
about the panel's own. Operations of the machine are planned. Made by matrix.test.ts; a change here is a change of rights.
`

/** Who does not reach everything never sees a word of what others have. */
function expectNothingForeign({ name, reaches }: Person, { text }: Answer): void {
  const foreign = reaches === 'all' ? [] : ['palace', ...(reaches.length === 0 ? ['bakery', 'baker@'] : [])]
  for (const word of foreign) expect(text, name).not.toContain(word)
}

/** The command as it is typed; what is secret is typed when it is asked for. */
async function byCommand({ shell }: { shell: Pick<Shell, 'wcp'> }, operation: Operation, input: Input): Promise<Ended> {
  const [, ...words] = splitWords(toCommandLine(operation, input))
  return await shell.wcp(withFlags(words, ['--json', '--yes', ...(isPlanned(operation) ? ['--plan'] : [])]), input)
}

/** Before "--": what follows it are words of a command. */
function withFlags(words: readonly string[], flags: readonly string[]): string[] {
  const end = words.indexOf('--')
  return end === -1 ? [...words, ...flags] : [...words.slice(0, end), ...flags, ...words.slice(end)]
}

/** Exit code and JSON are those of the REST answer, a problem word for word, what was read as it is; and so is what changed. */
function expectSame(
  operation: Operation,
  answer: Answer,
  command: { result: Ended; changed: string[] },
  cell: string,
  changed: string[],
): void {
  const { exit, out, err } = command.result
  const of = `${cell} as a command: ${out}${err}`
  if (operation.bytes === 'answer' && answer.status === 200) {
    expect([exit, out, command.changed], of).toEqual([0, answer.text, changed])
    return
  }
  const { instance: _, ...body } = answer.json()
  const printed = JSON.parse(out)
  expect(command.changed, of).toEqual(changed)
  if (answer.status < 400) expect(exit, of).toBe(0)
  else expect([printed.code, exit], of).toEqual([body.code, errorTable[String(body.code) as ErrorCode].exit])
  if (answer.status === 401) return // each says where one signs in
  const now = operation.name === 'health.get' ? { at: body.at } : {}
  if (answer.status >= 400 || operation.effect === 'read') expect({ ...printed, ...now }, of).toEqual(body)
  else expect(Object.keys(printed).sort(), of).toEqual(Object.keys(body).sort())
}

/**
 * Terminal page and pages answer as REST does, and change the same. A program has neither: its key opens no page, so it is led to
 * the sign-in, like everybody without a session.
 */
async function expectSameInBrowser(
  person: Person,
  operation: Operation,
  input: Input,
  answer: Answer,
  changed: string[],
): Promise<void> {
  const should = person.isKey
    ? { result: 'not_signed_in', changed: [] }
    : { result: answer.status < 400 ? 'ok' : answer.json().code, changed }
  const typed = await undone(person, () => byTerminal(person, operation, input))
  const isWithoutBytes = operation.bytes === 'body' && should.result === 'ok'
  const shouldType = isWithoutBytes ? { result: 'bad_input', changed: [] } : should
  expect(typed, `${person.name} on the terminal page`).toEqual(shouldType)

  if (shownElsewhere.includes(operation.name)) return
  const shown = await undone(person, () => byPage(person, operation, input))
  expect(shown, `${person.name} on the page`).toEqual(should)
}

/** A part of the page of something else, which each visitor sees as far as they may. */
const shownElsewhere = [
  'domain.proofs', // of its domain
  'certificate.request', // of the command line
  'cron.runs', // of its cron job
  'job.output', // of its job
  'webhook.deliveries', // of its webhook
  'totp.get', // of the own account
  'display.get', // likewise
  'settings.get', // of the list
  'health.findings', // of the page of drift
  'health.get', // these three of the overview
  'health.counts',
  'health.drift',
]

async function byTerminal(person: Person, operation: Operation, input: Input): Promise<string> {
  const { browser } = person
  const secrets = (operation.secret ?? []).flatMap((key) =>
    key in input && !operation.positional.includes(key) ? [`--${key} '${input[key]}'`] : [],
  )
  const flags = [...secrets, ...(isPlanned(operation) ? ['--plan'] : []), '--yes']
  const line = withFlags(toCommandLine(operation, input).split(' '), flags).join(' ')
  const before = browser.cookie
  const typed = await browser.form('/terminal', { line }, headersOf(person))
  if (typed.headers.location !== '/terminal#line') return pageCode(typed)
  // Acting as another person leaves the history with the session that is over.
  if (browser.cookie !== before) return 'ok'
  const { text } = await browser.ask({ path: '/terminal' })
  const json = [...text.matchAll(/JSON answer<\/summary><pre[^>]*>([^<]*)<\/pre>/g)].at(-1)?.[1] ?? '{}'
  const answer: unknown = JSON.parse(json.replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&amp;', '&'))
  const isProblem = typeof answer === 'object' && answer !== null && 'code' in answer && 'status' in answer
  return isProblem ? String(answer.code) : 'ok'
}

async function byPage(person: Person, operation: Operation, input: Input): Promise<string> {
  const { browser } = person
  const headers = headersOf(person)
  if (operation.effect === 'read') return pageCode(await browser.ask({ path: pagePath(operation, input), headers }))
  if (operation.name === 'file.upload') {
    const path = `/domains/${input.domain}/files/upload`
    return pageCode(await browser.upload(path, { name: String(input.path), text: 'Bread' }, headers))
  }
  const fields = Object.entries(input).map(([key, value]) => [
    key,
    Array.isArray(value) ? value.join('\n') : String(value),
  ])
  const deed = { _do: isPlanned(operation) ? 'plan' : 'run', _confirm: 'yes' }
  const shown = verbOf(operation) === 'update' ? await formOf(person, operation, input) : {}
  return pageCode(
    await browser.form(`/do/${operation.name}`, { ...shown, ...Object.fromEntries(fields), ...deed }, headers),
  )
}

/** A page is asked for with whatever somebody has. */
function headersOf({ browser: { key } }: Person): Record<string, string> {
  return { accept: 'text/html', ...(key !== null && { authorization: `Bearer ${key}` }) }
}

function pagePath(operation: Operation, input: Input): string {
  const part = { 'file.list': 'in', 'file.get': 'file', 'file.download': 'download', 'file.trash': 'trash' }[
    operation.name
  ]
  if (part !== undefined) return `/domains/${input.domain}/files/${part}${query(narrowing(input))}`
  if (operation.name === 'probe.get') return `/domains/${input.domain}/health`
  const [kind, verb] = [kindOf(operation), verbOf(operation)]
  if (verb === 'list') return listPath(kind) + query(narrowing(input))
  const [key = kind] = httpBinding(operation).pathKeys
  const page = detailPath(kind, String(input[key]))
  if (verb === 'get') return page
  return httpBinding(operation).pathKeys.length > 0 ? `${page}/${verb}` : `${listPath(kind)}/${verb}`
}

/** Of a list: the thing that its entries belong to. */
function narrowing(input: Input): Record<string, string> {
  return Object.fromEntries(Object.entries(input).filter(([, value]) => typeof value === 'string')) as Record<
    string,
    string
  >
}

/** A form for a change comes filled in with what is there, and a browser sends all of it. */
async function formOf({ browser }: Person, operation: Operation, input: Input): Promise<FormValues> {
  const get = operations.find(({ name }) => name === `${kindOf(operation)}.get`)
  if (get === undefined) return {}
  const subject = Object.fromEntries(httpBinding(operation).pathKeys.map((key) => [key, input[key]]))
  const { method, path } = requestFor(get, subject)
  const answer = await browser.call(method, path)
  return answer.status === 200 ? valuesFrom(operation, answer.json()) : {}
}

const codes: Readonly<Record<number, string>> = {
  403: 'forbidden',
  404: 'not_found',
  409: 'conflict',
  412: 'precondition_failed',
  422: 'bad_input',
}

/** Who may not come yet is led to where they show who they are. */
const leadsTo: Readonly<Record<string, string>> = {
  '/login': 'not_signed_in',
  '/bootstrap': 'setup_needed',
  '/confirm': 'step_up_needed',
}

function pageCode({ status, headers }: Answer): string {
  const [path = ''] = headers.location?.split('?') ?? []
  return leadsTo[path] ?? (status < 400 ? 'ok' : (codes[status] ?? String(status)))
}
