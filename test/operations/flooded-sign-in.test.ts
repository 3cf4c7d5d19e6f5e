/** Guesses from many networks slow strangers; whoever signed in before goes past them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Answer, Browser } from './support/client.ts'
import { password, type TestPanel, testPanel } from './support/test-panel.ts'

const admin = 'admin@example.com'
const home = '127.9.9.1'
let test: TestPanel
/** As the browser that signed in at home has it. */
let device: string

beforeAll(async () => {
  test = await testPanel()
  for (const email of [admin, 'other@example.com'])
    await test.root('POST', '/api/v1/users', { email, password, role: 'system_admin' })
  const first = await visitor(home).signIn(admin, password)
  device = first.headers['set-cookie']?.find((line) => line.startsWith('__Host-wcp-device='))?.split(';')[0] ?? ''
  await test.restart() // who is known is known from the store
  await flood()
}, 60_000)

afterAll(() => test.stop())

function visitor(from: string): Browser {
  return new Browser({ port: test.panel.port, from })
}

/** 216 wrong passwords from 12 networks, each for an account of its own. */
async function flood(): Promise<void> {
  const guesses = Array.from({ length: 12 }, async (_, network) => {
    const guesser = visitor(`127.20.${network}.1`)
    await guesser.token()
    const tries = Array.from({ length: 18 }, (_, at) => guesser.signIn(`guess${at}@example.com`, 'a wrong password'))
    return (await Promise.all(tries)).map(({ status }) => status)
  })
  const statuses = (await Promise.all(guesses)).flat()
  expect(statuses).toContain(429)
  expect(statuses.filter((status) => status === 401).length).toBeGreaterThanOrEqual(99)
}

async function withDevice(from: string, email: string): Promise<Answer> {
  const browser = visitor(from)
  const token = await browser.token()
  return await browser.ask({
    method: 'POST',
    path: '/login',
    headers: {
      cookie: `__Host-wcp=${browser.cookie}; ${device}`,
      'content-type': 'application/x-www-form-urlencoded',
      'sec-fetch-site': 'same-origin',
    },
    body: new URLSearchParams({ _csrf: token, email, password }).toString(),
  })
}

describe('after a flood of guesses', () => {
  it('an administrator signs in from where they did before, and confirms what is dangerous', async () => {
    const browser = visitor(home)

    expect((await browser.signIn(admin, password)).status).toBe(303)
    expect((await browser.form('/confirm', { password })).status).toBe(200)
  })

  it('the browser of one who signed in before is known in the very network of the flood, for their account alone', async () => {
    expect((await withDevice('127.20.3.1', admin)).status).toBe(303)
    expect((await withDevice('127.20.3.1', 'other@example.com')).status).toBe(429)
  })

  it('a stranger from a network that has not tried of late still signs in; one from that of the flood waits', async () => {
    expect((await visitor('127.88.0.1').signIn('other@example.com', password)).status).toBe(303)
    expect((await visitor('127.20.99.1').signIn(admin, password)).status).toBe(429)
  })
})
