/** However many API keys and people one customer has: their calls are counted together, and their refusals have one share of the trail. */
import { afterEach, describe, expect, it } from 'vitest'
import { ask, type Browser } from './support/client.ts'
import { password, type TestPanel, testPanel, until } from './support/test-panel.ts'

let test: TestPanel
afterEach(() => test.stop())

async function panelWith(people: number, limits: Partial<Parameters<typeof testPanel>[0]> = {}): Promise<Browser[]> {
  test = await testPanel(limits)
  await test.root('POST', '/api/v1/packages', { name: 'basic' })
  await test.root('POST', '/api/v1/tenants', { name: 'bakery' })
  await until(async () => (await test.root('GET', '/api/v1/jobs?state=succeeded')).json().items?.length === 1)
  const signedIn = Array.from({ length: people }, async (_, at) => {
    const email = `baker${at}@example.com`
    await test.root('POST', '/api/v1/users', { email, password, role: 'user', tenant: 'bakery' })
    const browser = test.browser()
    expect((await browser.signIn(email, password)).status).toBe(303)
    return browser
  })
  return await Promise.all(signedIn)
}

async function keysOf(baker: Browser | undefined, count: number): Promise<string[]> {
  const made = Array.from({ length: count }, async (_, at) => {
    const fields = { name: `key${at}`, scopes: ['domain.create'] }
    return String((await baker?.call('POST', '/api/v1/users/baker0@example.com/api-keys', fields))?.json().token)
  })
  return await Promise.all(made)
}

const byKey = async (key: string) => {
  const headers = { authorization: `Bearer ${key}` }
  return (await ask({ port: test.panel.port }, { method: 'POST', path: '/api/v1/domains', headers, body: {} })).status
}

describe('the limit of changes', () => {
  const limits = { isRateLimited: true, config: 'writes_per_minute: 12' }

  it('is one for all API keys of a person, and the person is not kept out by them', async () => {
    const [baker] = await panelWith(1, limits)
    const keys = await keysOf(baker, 6)
    const statuses = []
    for (const key of keys) for (let call = 0; call < 4; call++) statuses.push(await byKey(key))

    const counted = statuses.filter((status) => status === 422)
    expect(counted.length).toBeGreaterThanOrEqual(12)
    expect(counted.length).toBeLessThan(18)
    expect((await baker?.call('POST', '/api/v1/domains', {}))?.status).toBe(422)
  })

  it('holds for all people of a tenant together', async () => {
    const bakers = await panelWith(5, limits)
    const statuses: number[] = []
    for (const baker of bakers)
      for (let call = 0; call < 12; call++) statuses.push((await baker.call('POST', '/api/v1/domains', {})).status)

    const counted = statuses.filter((status) => status === 422)
    expect(counted.length).toBeGreaterThanOrEqual(36)
    expect(counted.length).toBeLessThan(48)
  })
})

describe('the audit trail', () => {
  it('has sixty refusals of a tenant in full, then their number', async () => {
    const bakers = await panelWith(2)
    for (const baker of bakers) for (let call = 0; call < 60; call++) await baker.call('POST', '/api/v1/domains', {})
    const refused = async () => {
      const { items = [] } = (await test.root('GET', '/api/v1/audit?action=domain.create&limit=200')).json()
      return items.map(({ metadata }) => metadata)
    }

    expect(await refused()).toHaveLength(60)
    await test.restart()
    expect((await refused())[0]).toMatchObject({ code: 'bad_input', refusals: 60 })
    expect(await refused()).toHaveLength(61)
  })

  it('has sixty guesses of strangers in full, then their number for each network', async () => {
    await panelWith(0)
    const guess = (from: string, at: number) =>
      ask(
        { port: test.panel.port, from },
        {
          method: 'POST',
          path: '/api/v1/tokens',
          body: { email: `x${at}@example.com`, password: 'a wrong password' },
        },
      )
    const guesses = [1, 2, 3, 4].flatMap((network) =>
      Array.from({ length: 24 }, (_, at) => guess(`127.${network}.0.1`, at)),
    )
    const statuses = (await Promise.all(guesses)).map(({ status }) => status)
    await test.restart()
    const { items = [] } = (await test.root('GET', '/api/v1/audit?action=auth.login&limit=200')).json()
    const sums = items.flatMap(({ metadata }) => {
      const { refusals } = metadata as { refusals?: number }
      return refusals === undefined ? [] : [refusals]
    })

    expect(statuses.every((status) => status === 401)).toBe(true)
    expect(items.length - sums.length).toBe(60)
    expect(sums.reduce((sum, one) => sum + one, 0)).toBe(36)
  })
})
