/** Two customers with a site each, and an input for every operation that would work on the first one's things. */
import { type AnyOperation, httpBinding, kindOf } from '../../../src/contract/operation.ts'
import { httpCall } from '../../../src/lib/http-call.ts'
import type { Context } from '../../../src/resources/context.ts'
import { exampleInput, kinds, operations } from '../../../src/resources/index.ts'
import type { Browser } from './client.ts'
import { password, proofsAtRest, type TestPanel, type TestPanelOptions, testPanel, until } from './test-panel.ts'

export interface World {
  readonly test: TestPanel
  readonly admin: Browser
  /** Owns `tenant` and `domain`. */
  readonly customer: Browser
  /** A customer of another tenant. */
  readonly stranger: Browser
  readonly ids: Ids
}

/** `waiting`: a domain of the first customer that is not proven. */
export type Ids = Readonly<
  Record<
    | 'tenant'
    | 'domain'
    | 'waiting'
    | 'package'
    | 'user'
    | 'role'
    | 'reseller'
    | 'job'
    | 'session'
    | 'apiKey'
    | 'certificate',
    string
  > &
    Record<string, string>
>

export async function world(options: TestPanelOptions = {}): Promise<World> {
  const test = await testPanel(options)
  const make = async (path: string, body: unknown) => {
    const answer = await test.root('POST', `/api/v1/${path}`, body)
    if (answer.status > 202) throw new Error(`${path}: ${answer.text}`)
    const { id, jobId } = answer.json()
    return { id: String(id), jobId: String(jobId) }
  }
  const { id: pack } = await make('packages', { name: 'basic' })
  const { id: tenant, jobId: job } = await make('tenants', { name: 'bakery' })
  await make('tenants', { name: 'butcher' })
  const { id: domain } = await make('domains', { tenant: 'bakery', fqdn: 'bakery.example.com' })
  const { id: user } = await make('users', { email: 'baker@example.com', password, role: 'user', tenant: 'bakery' })
  await make('users', { email: 'butcher@example.com', password, role: 'user', tenant: 'butcher' })
  await make('users', { email: 'admin@example.com', password, role: 'system_admin' })
  const { id: role } = await make('roles', { name: 'viewer', scope: 'local', permissions: ['domain.list'] })
  const { id: reseller } = await make('resellers', { email: 'seller@example.com', password })
  const made = await makeExamples((path, body) => make(path, body))
  const { id: apiKey } = await make(`users/${user}/api-keys`, { name: 'deploy', scopes: ['domain.list'] })
  const signedIn = async (email: string) => {
    const browser = test.browser()
    await browser.signIn(email, password)
    return browser
  }
  await until(
    async () => (await test.root('GET', '/api/v1/jobs?state=succeeded')).json().items?.length === 3 + exampleJobs(),
  )
  const customer = await signedIn('baker@example.com')
  const cakes = { tenant: 'bakery', fqdn: 'cakes.example.net' }
  const { id: waiting } = (await customer.call('POST', '/api/v1/domains', cakes)).json()
  await proofsAtRest(test.panel)
  const session = String((await customer.call('GET', '/api/v1/sessions')).json().items?.[0]?.id)
  const certificate = await certificateOf(test, user)
  return {
    test,
    admin: await signedIn('admin@example.com'),
    customer,
    stranger: await signedIn('butcher@example.com'),
    ids: {
      tenant,
      domain,
      waiting: String(waiting),
      package: pack,
      user,
      role,
      reseller,
      job,
      session,
      apiKey,
      certificate,
      ...Object.fromEntries(made),
    },
  }
}

/** Written straight into the store: this panel has no TLS, and so no port that asks for one. */
async function certificateOf({ panel }: TestPanel, user: string): Promise<string> {
  const [id, now] = ['6f1d3c52-0a4e-4b7e-9a51-0c1f5ce70001', new Date().toISOString()]
  const row = { id, created_at: now, updated_at: now, user_id: user, name: 'laptop', fingerprint: 'f' }
  await panel.db
    .insertInto('client_certificates')
    .values({ ...row, expires_at: '2099-01-01T00:00:00.000Z' })
    .execute()
  return id
}

type AnyInput = Record<string, unknown>

/** One of each kind that says how one is made. @param over what is other, by the key that names the kind @returns the input key by which it is named → its id */
export async function makeExamples(
  make: (path: string, body: AnyInput) => Promise<{ readonly id: string }>,
  over: (key: string) => AnyInput = () => ({}),
): Promise<Map<string, string>> {
  const made = new Map<string, string>()
  for (const [key, { http, input }] of exampleKinds()) {
    const [, path = ''] = http.split(' /')
    made.set(key, (await make(path, { ...input, ...narrowed(over(key), input) })).id)
  }
  return made
}

/** What of `over` such a thing is made with. */
function narrowed(over: AnyInput, input: AnyInput): AnyInput {
  return Object.fromEntries(Object.entries(over).filter(([key]) => Object.hasOwn(input, key)))
}

interface Example {
  readonly http: string
  readonly input: AnyInput
  /** A job makes it. */
  readonly hasJob: boolean
}

function exampleJobs(): number {
  return [...exampleKinds().values()].filter(({ hasJob }) => hasJob).length
}

/** The input key by which one is named → how one is made. */
export function exampleKinds(): Map<string, Example> {
  return new Map(
    kinds.flatMap((kind) => {
      const making = kind.examples?.install === undefined ? 'create' : 'install'
      const [create, get] = [making, 'get'].map((verb) => named(`${kind.name}.${verb}`))
      const given = kind.examples?.[making]
      const input = given && { ...given, ...kind.examples?.existing }
      const [key] = get === undefined ? [] : httpBinding(get).pathKeys
      return create && key && input
        ? [[key, { http: create.http, input, hasJob: create.effect === 'machine' }] as const]
        : []
    }),
  )
}

function named(name: string) {
  return operations.find((operation) => operation.name === name)
}

/** Inputs that the schema takes, naming the first customer's things. A new operation needs a line only if it asks for more than references. */
export function inputFor({ name, input }: AnyOperation<Context>, { ids }: Pick<World, 'ids'>): AnyInput {
  const own: Readonly<Record<string, AnyInput>> = {
    'tenant.create': { name: 'florist' },
    'tenant.update': { package: 'basic' },
    'domain.create': { tenant: 'bakery', fqdn: 'cakes.example.org' },
    'domain.verify': { domain: ids.waiting },
    'domain.run': { command: ['php', '-v'] },
    'domain.vouch': { domain: ids.waiting },
    'domain.update': { aliases: ['www.bakery.example.com'] },
    'package.create': { name: 'large' },
    'package.update': { description: 'for most' },
    'user.create': { email: 'new@example.com', password, role: 'user', tenant: 'bakery' },
    'user.update': { email: 'renamed@example.com' },
    'role.create': { name: 'editor', scope: 'local', permissions: ['domain.get'] },
    'role.update': { permissions: ['domain.get'] },
    'role.grant': { user: 'baker@example.com' },
    'role.revoke': { user: 'baker@example.com' },
    'reseller.create': { email: 'other@example.com', password },
    'reseller.update': { maxTenants: 5 },
    'api-key.get': { apiKey: ids.apiKey },
    'api-key.create': { user: ids.user, name: 'other', scopes: ['domain.list'] },
    'api-key.revoke': { apiKey: ids.apiKey },
    'api-key.restore': { apiKey: ids.apiKey },
    'session.revoke-all': { user: ids.user },
    'display.get': { user: ids.user },
    'display.update': { user: ids.user, timeZone: 'Europe/Zurich', locale: 'de-CH' },
    'totp.get': { user: ids.user },
    'totp.create': { user: ids.user },
    'totp.confirm': { user: ids.user, code: '123456' },
    'totp.renew-codes': { user: ids.user },
    'totp.delete': { user: ids.user },
    'client-certificate.create': { user: ids.user, name: 'laptop', certificate: 'a certificate' },
    'client-certificate.delete': { certificate: ids.certificate },
    'mail.retry': { mail: '00000000-0000-4000-8000-000000000001' },
    ...Object.fromEntries(
      ['get', 'update', 'delete', 'restore', 'test', 'deliveries'].map((verb) => [
        `webhook.${verb}`,
        { webhook: 'ops' },
      ]),
    ),
    'webhook.create': { name: 'ops', url: 'https://hooks.example.com/wcp360' },
    'webhook.redeliver': { webhook: 'ops', delivery: '00000000-0000-4000-8000-000000000001' },
    'mail.test': { to: 'admin@example.com' },
    'user.invite': { email: 'invited@example.com', role: 'system_admin' },
    'user.change-email': { email: 'changed@example.com' },
    'policy.update': { role: 'user', secondFactor: 'optional' },
    'settings.get': { key: 'jobs.keep_days' },
    'settings.update': { key: 'jobs.keep_days', value: 30 },
  }
  const keys = Object.keys(input.shape)
  const isAbout = (kind: string) => name.startsWith(`${kind}.`) && keys.includes(kind)
  const [subject] = httpBinding(named(`${kindOf({ name })}.get`) ?? { http: 'GET /' }).pathKeys
  const isExample = (key: string) => key === subject && keys.includes(key) && exampleKinds().has(key)
  const references = Object.entries(ids).filter(([kind]) => isAbout(kind) || isExample(kind))
  return { ...Object.fromEntries(references), ...exampleInput({ name }), ...own[name] }
}

/** The call as REST; `body` may be replaced by anything. */
export function requestFor(operation: AnyOperation<Context>, input: AnyInput, plan = false) {
  const { method, target, body } = httpCall(operation, input, plan)
  return { method, path: target, ...(body !== undefined && { body }) }
}
