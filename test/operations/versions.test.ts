/** ETag, If-Match and If-None-Match, and forms that two people have open at the same time. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RegisterPages } from '../../src/panel/http/types.ts'
import { registerPages } from '../../src/panel/pages/register-pages.ts'
import type { Answer, Ask, Browser } from './support/client.ts'
import { type TestPanel, testPanel } from './support/test-panel.ts'

const pages: RegisterPages = async (app, deps) => {
  app.get('/assets/token', { config: { access: 'public' } }, async (request, reply) =>
    deps.auth.formToken(request, reply),
  )
  return await registerPages(app, deps)
}

let test: TestPanel
let admin: Browser
let other: Browser

beforeAll(async () => {
  test = await testPanel({ registerPages: pages })
  admin = await test.administrator('admin@example.com')
  other = await test.administrator('other@example.com')
  await test.root('POST', '/api/v1/packages', { name: 'basic', description: 'one', memMb: 100 })
})

afterAll(() => test.stop())

const at = '/api/v1/packages/basic'

async function send(asked: Ask): Promise<Answer> {
  const headers = { 'x-csrf-token': await admin.token(), 'sec-fetch-site': 'same-origin', ...asked.headers }
  return await admin.ask({ ...asked, headers })
}

const patch = (description: string, headers: Record<string, string>) =>
  send({ method: 'PATCH', path: at, body: { description }, headers })
const tag = async () => String((await admin.call('GET', at)).headers.etag)
const description = async () => (await admin.call('GET', at)).json().description

describe('a version', () => {
  it('is the same for the same answer, by REST and on the socket, and another after a change', async () => {
    const first = await tag()
    expect(first).toMatch(/^"[\w-]{22}"$/)
    expect(await tag()).toBe(first)
    expect((await test.root('GET', at)).headers.etag).toBe(first)
    expect((await patch('two', {})).status).toBe(200)
    expect(await tag()).not.toBe(first)
  })

  it('spares the answer that is known', async () => {
    const known = await tag()
    const answer = await admin.ask({ path: at, headers: { 'if-none-match': `"other", W/${known}` } })

    expect([answer.status, answer.text, answer.headers.etag]).toEqual([304, '', known])
    expect((await admin.ask({ path: at, headers: { 'if-none-match': '"other"' } })).status).toBe(200)
  })

  it('lets the change through that was made for it, and refuses any other, with the help of the table', async () => {
    const read = await tag()
    expect((await patch('three', { 'if-match': read })).status).toBe(200)
    const late = await patch('four', { 'if-match': read })

    expect(late.status).toBe(412)
    expect(late.json()).toMatchObject({
      code: 'precondition_failed',
      title: 'Cannot run package.update: it was changed after you read it',
    })
    expect(await description()).toBe('three')
    const [entry] = (await test.root('GET', '/api/v1/audit?action=package.update&limit=1')).json().items ?? []
    expect(entry).toMatchObject({ outcome: 'refused', metadata: { code: 'precondition_failed' } })
  })

  it('of many who change the same version lets one through', async () => {
    const read = await tag()
    const answers = await Promise.all(Array.from({ length: 8 }, (_, at) => patch(`try ${at}`, { 'if-match': read })))

    expect(answers.map(({ status }) => status).sort()).toEqual([200, 412, 412, 412, 412, 412, 412, 412])
  })

  it('holds for deletions, too', async () => {
    await test.root('POST', '/api/v1/packages', { name: 'short' })
    const remove = (wanted: string) =>
      send({ method: 'DELETE', path: '/api/v1/packages/short', headers: { 'if-match': wanted } })
    const read = String((await admin.call('GET', '/api/v1/packages/short')).headers.etag)

    expect((await remove('"another"')).status).toBe(412)
    expect((await remove(`W/${read}`)).status).toBe(412)
    expect((await remove(`"x", ${read}`)).status).toBe(200)
    expect((await remove('*')).status).toBe(404)
  })

  it.each([['no quotes'], ['"a" "b"'], ['"a",']])('must be well-formed: %s', async (wanted) => {
    expect((await patch('five', { 'if-match': wanted })).status).toBe(400)
  })

  it('cannot be asked for where there is nothing yet', async () => {
    const headers = { 'if-match': '*' }
    const answer = await send({ method: 'POST', path: '/api/v1/packages', body: { name: 'new' }, headers })

    expect(answer.status).toBe(422)
    expect(answer.json().fields).toMatchObject([{ field: 'If-Match' }])
  })
})

describe('a form', () => {
  const open = async (browser: Browser) => {
    const { text } = await browser.ask({ path: '/do/package.update?package=basic' })
    const version = /name="_version" value="([^"]+)"/.exec(text)?.[1] ?? ''
    expect(version).not.toBe('')
    return version
  }
  const save = (browser: Browser, version: string, fields: Record<string, string>) =>
    browser.form('/do/package.update', {
      package: 'basic',
      name: 'basic',
      isDefault: 'true',
      _version: version,
      _do: 'run',
      ...fields,
    })

  it('does not overwrite unseen what another person saved meanwhile', async () => {
    await patch('before', {})
    const [mine, theirs] = [await open(admin), await open(other)]
    expect((await save(other, theirs, { description: 'theirs', memMb: '100' })).status).toBe(303)
    const late = await save(admin, mine, { description: 'before', memMb: '200' })

    expect(late.status).toBe(412)
    expect(late.text).toContain('somebody else changed it after you opened this form')
    expect(late.text).toContain('theirs')
    expect(await description()).toBe('theirs')
    const fresh = /name="_version" value="([^"]+)"/.exec(late.text)?.[1] ?? ''
    expect((await save(admin, fresh, { description: 'mine', memMb: '200' })).status).toBe(303)
    expect(await description()).toBe('mine')
  })

  it('does not mind what it does not show', async () => {
    const version = await open(admin)
    await test.root('POST', '/api/v1/tenants', { name: 'bakery', package: 'basic' })

    expect((await save(admin, version, { description: 'after', memMb: '200' })).status).toBe(303)
  })
})
