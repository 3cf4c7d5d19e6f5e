import type { AnyOperation } from '../../src/contract/operation.ts'
import type { Context } from '../../src/resources/context.ts'
import { operations } from '../../src/resources/index.ts'
import type { Ids } from '../operations/support/world.ts'
import { inputFor, requestFor } from '../operations/support/world.ts'
import type { Tried } from './attack-class.ts'
import type { Stage } from './stage.ts'

const nowhere = '00000000-0000-4000-8000-000000000001'
/** What would give somebody more than was offered. */
const extras = {
  tenant_id: nowhere,
  tenantId: nowhere,
  resellerId: nowhere,
  role: 'system_admin',
  package_id: nowhere,
  status: 'active',
  uid: 0,
  home: '/root',
  isBuiltIn: true,
  permissions: ['user.create'],
  id: nowhere,
  version: 1,
}

/** Who may do what is `test/operations/matrix.txt`; here the running product is asked. */
export const othersThings: Tried = {
  name: 'the things of others, and fields that nobody offered',
  holds: 'not found, in the words of what does not exist; nothing was changed',
  async attack(stage, tally) {
    const before = await picture(stage)
    const nothing = { ids: Object.fromEntries(Object.keys(stage.ids).map((kind) => [kind, nowhere])) as Ids }
    const strangers = [
      ['butcher', stage.butcher.browser],
      ['rival', await stage.signedIn('rival@example.com', '127.22.1.1')],
    ] as const
    let about = 0
    for (const operation of operations) {
      const { method, path, body } = requestFor(operation, inputFor(operation, stage))
      if (isAboutTheBaker(operation, stage)) {
        about++
        const none = requestFor(operation, inputFor(operation, nothing))
        for (const [who, browser] of strangers) {
          const answer = await browser.call(method, path, body)
          const other = await browser.call(none.method, none.path, none.body)
          tally.held([403, 404, 422].includes(answer.status), `${who} ${operation.name}: ${answer.status}`)
          tally.same(told(answer.text, stage), told(other.text, nothing), `${who} learns from ${operation.name}`)
        }
      }
      if (!['POST', 'PATCH'].includes(method)) continue
      for (const [key, value] of Object.entries(extras).filter(([key]) => !(key in operation.input.shape))) {
        const { status } = await stage.root(method, path.replace('/api/v1', ''), { ...body, [key]: value })
        tally.same(status, 422, `${operation.name} with ${key}`)
      }
    }
    tally.held(about >= 25, `only ${about} operations name the baker's things`)
    for (const path of [
      `/domains?tenant=${stage.baker.tenant}`,
      `/jobs?tenant=${stage.baker.tenant}`,
      `/sessions?user=${stage.ids.user}`,
      `/api-keys?user=${stage.ids.user}`,
      ...['/tenants', '/domains', '/users', '/jobs', '/sessions', '/packages', '/audit'].map(
        (list) => `${list}?limit=200`,
      ),
      '/domains?search=bakery',
      '/domains?sort=fqdn&tenant=bakery',
    ]) {
      const { text } = await stage.butcher.browser.call('GET', `/api/v1${path}`)
      tally.held(
        !/bakery|baker@|cakes/.test(text.replace(/"instance":"[^"]*"|"help":"[^"]*"/g, '').replaceAll(path, '')),
        `butcher sees ${path}: ${text.slice(0, 200)}`,
      )
    }
    const after = await picture(stage)
    for (const [list, text] of before)
      tally.held(after.get(list) === text, `${list} have changed: ${difference(text, after.get(list))}`)
  },
}

function isAboutTheBaker(operation: AnyOperation<Context>, { ids }: Stage): boolean {
  const { tenant, domain, user, job, session, apiKey, waiting } = ids
  const named = Object.values(inputFor(operation, { ids }))
  return [tenant, domain, user, job, session, apiKey, waiting, 'bakery'].some((one) => named.includes(one))
}

/** Without what was asked for, so that two refusals can be compared. */
function told(text: string, { ids }: { readonly ids: Ids }): string {
  return Object.values(ids)
    .reduce((all, id) => all.replaceAll(id, '?'), text)
    .replace(/urn:wcp360:request:[\w-]+/, '')
}

/** What each list shows to root. */
async function picture(stage: Stage): Promise<ReadonlyMap<string, string>> {
  const lists = ['tenants', 'domains', 'packages', 'users', 'roles', 'resellers', 'api-keys', 'webhooks', 'settings']
  const texts = lists.map(
    async (list) => [list, JSON.stringify((await stage.root('GET', `/${list}`)).json().items)] as const,
  )
  return new Map(await Promise.all(texts))
}

function difference(one: string, other = ''): string {
  const place = [...one].findIndex((letter, index) => letter !== other[index])
  return `${one.slice(place - 30, place + 60)} / ${other.slice(place - 30, place + 60)}`
}
