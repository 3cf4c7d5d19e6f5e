import { operations } from '../../src/resources/index.ts'
import { inputFor, requestFor } from '../operations/support/world.ts'
import type { Tried } from './attack-class.ts'

const isFor = ['domain.list', 'domain.get']

export const keyScopes: Tried = {
  name: 'what an API key is not for',
  holds: 'refused; shown once; dead with the next request once it is revoked',
  says: [/^an API key was used from an address that it is not for$/],
  async attack(stage, tally) {
    const { baker, butcher } = stage
    // A key wants a proof that is fresh.
    const owner = await stage.signedIn('baker@example.com', '127.27.1.1')
    const make = async (more: object) =>
      (await owner.call('POST', `/api/v1/users/${baker.user}/api-keys`, { scopes: isFor, ...more })).json()
    const { id, token } = await make({ name: 'reader' })
    const key = String(token)
    tally.held(/^wcp_\w{50,}$/.test(key), `no key was shown: ${key.slice(0, 4)}`)
    const nobody = stage.browser()
    const send = (authorization: string, method: string, path: string, body?: unknown, headers = {}) =>
      nobody.ask({ method, path, ...(body !== undefined && { body }), headers: { authorization, ...headers } })
    const bearer = `Bearer ${key}`
    const isTaken = async (authorization: string) => (await send(authorization, 'GET', '/api/v1/domains')).status

    tally.same(await isTaken(bearer), 200, 'what it is for')
    for (const operation of operations.filter(({ name }) => !isFor.includes(name))) {
      const { method, path, body } = requestFor(operation, inputFor(operation, stage))
      tally.same((await send(bearer, method, path, body)).status, 403, operation.name)
    }
    const foreign = await send(bearer, 'GET', `/api/v1/domains/${butcher.domain}`)
    tally.same(foreign.status, 404, 'a domain of another tenant')
    for (const path of ['/', '/account', '/terminal', '/domains'])
      tally.held(
        (await send(bearer, 'GET', path, undefined, { accept: 'text/html' })).status !== 200,
        `a key opens the page ${path}`,
      )
    for (const query of ['api_key', 'access_token', 'token', 'key', 'authorization']) {
      const { status } = await nobody.ask({ path: `/api/v1/domains?${query}=${key}` })
      tally.same(status, 401, `a key in the address (${query})`)
    }
    const altered = `${key.slice(0, 20)}${key[20] === 'a' ? 'b' : 'a'}${key.slice(21)}`
    for (const header of [
      `Bearer ${altered}`,
      `Bearer ${key}x`,
      `Bearer ${key.slice(0, -1)}`,
      `Bearer ${key} ${key}`,
      `Bearer ${key},${key}`,
      `Basic ${btoa(`x:${key}`)}`,
      `Token ${key}`,
      key,
      `Bearer ${key.toUpperCase()}`,
      `Bearer ${key.slice(0, 14)}`,
      'Bearer ',
      'Bearer null',
    ])
      tally.same(await isTaken(header), 401, `the header "${header.slice(0, 12)}…"`)
    for (const [what, more] of [
      ['for another address', { name: 'elsewhere', addresses: ['192.0.2.0/24'] }],
      ['that only signs', { name: 'signing', signed: true }],
    ] as const)
      tally.same(await isTaken(`Bearer ${String((await make(more)).token)}`), 401, `a key ${what}`)
    for (const path of ['/api/v1/api-keys', `/api/v1/api-keys/${id}`])
      tally.held(!(await owner.call('GET', path)).text.includes(key.slice(14, 40)), `${path} shows a key again`)
    for (const [what, more] of [
      ['without an end', { name: 'eternal', days: 100_000 }],
      ['for what its owner may not do', { name: 'greedy', scopes: ['tenant.create'] }],
      ['that makes keys', { name: 'mother', scopes: ['api-key.create'] }],
      ['for everything', { name: 'all', scopes: ['*'] }],
    ] as const)
      tally.held((await make(more)).token === undefined, `a key ${what} was made`)

    await owner.call('DELETE', `/api/v1/api-keys/${id}`)
    tally.same(await isTaken(bearer), 401, 'a revoked key')
    const second = `Bearer ${String((await make({ name: 'second' })).token)}`
    tally.same(await isTaken(second), 200, 'a second key')
    await stage.root('POST', `/users/${baker.user}/suspend`)
    tally.same(await isTaken(second), 401, 'a key of somebody who is suspended')
    await stage.root('POST', `/users/${baker.user}/unsuspend`)
    stage.baker.browser.cookie = (await stage.signedIn('baker@example.com', '127.27.1.2')).cookie
  },
}
