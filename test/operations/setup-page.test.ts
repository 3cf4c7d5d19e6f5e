/** The page of the first setup: without the address's code it asks for nothing. */
import { afterEach, expect, it } from 'vitest'
import type { RegisterPages } from '../../src/panel/http/types.ts'
import { registerPages } from '../../src/panel/pages/register-pages.ts'
import { setupCode } from './support/scripted-agent.ts'
import { type TestPanel, testPanel } from './support/test-panel.ts'

const pages: RegisterPages = async (app, deps) => {
  app.get('/assets/token', { config: { access: 'public' } }, async (request, reply) =>
    deps.auth.formToken(request, reply),
  )
  return await registerPages(app, deps)
}

let test: TestPanel
afterEach(() => test.stop())

it('asks for root only at the address that was printed, and says how to get one', async () => {
  test = await testPanel({ machine: { setupOpen: true }, registerPages: pages })
  const browser = test.browser()
  const page = async (path: string) => (await browser.ask({ path, headers: { accept: 'text/html' } })).text

  for (const path of ['/bootstrap', `/bootstrap?code=${setupCode}`]) {
    expect(await page(path)).toContain('wcp setup open')
    expect(await page(path)).not.toContain('type="password"')
  }
  const asking = await page(`/bootstrap/${setupCode}`)
  expect(asking).toContain('type="password"')
  expect(asking).toContain(`name="code" value="${setupCode}"`)

  const refused = await browser.form('/bootstrap', { password: 'root-password', code: 'old' })
  expect(refused.status).toBe(401)
  expect(refused.text).toContain('wcp setup open')
  const wrong = await browser.form('/bootstrap', { password: 'wrong', code: setupCode })
  expect(wrong.text).toContain(`name="code" value="${setupCode}"`)
  expect((await browser.form('/bootstrap', { password: 'root-password', code: setupCode })).status).toBe(303)
  expect(await page('/bootstrap')).toContain('name="email"')
  expect(JSON.stringify(test.log)).not.toContain(setupCode)
})

it('takes the address of the form for no code', async () => {
  test = await testPanel({ machine: { setupOpen: true }, registerPages: pages })

  const answer = await test.browser().ask({ path: '/bootstrap/admin', headers: { accept: 'text/html' } })

  expect([answer.status, answer.headers.location]).toEqual([303, '/bootstrap'])
})
