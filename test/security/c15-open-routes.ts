import { httpBinding } from '../../src/contract/operation.ts'
import { operations } from '../../src/resources/index.ts'
import { inputFor, requestFor } from '../operations/support/world.ts'
import type { Tried } from './attack-class.ts'
import type { PanelBrowser } from './panel-browser.ts'

/** Everything that anybody may see without signing in. */
const open = /^\/(login|healthz$|assets\/|password\/forgotten$|api\/v1\/openapi.json$)/
const staffPages = ['/users', '/packages', '/roles', '/resellers', '/audit', '/audit/verify', '/settings', '/mails']
const staffForms = ['/do/user.create', '/do/tenant.create', '/do/settings.update?key=jobs.keep_days']
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND']
const claims = {
  authorization: 'Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJyb290In0.',
  'x-forwarded-user': 'root',
  'x-remote-user': 'root',
}

/** Who may do what is `test/operations/matrix.txt`; here the running product is asked, and by every method. */
export const openRoutes: Tried = {
  name: 'every route by every method for nobody, every page for the wrong people',
  holds: "nobody gets an answer; nobody gets another's page; setup is closed for ever",
  async attack(stage, tally) {
    const nobody = stage.browser()
    for (const operation of operations) {
      const { path } = requestFor(operation, inputFor(operation, stage))
      const { method: own } = httpBinding(operation)
      // a query is of its own method: with another one it would be refused as such, whoever asks
      const [bare = path] = path.split('?')
      for (const method of methods) {
        const { status } = await nobody.ask({ method, path: method === own ? path : bare })
        const isAllowedList = method === 'OPTIONS' && status === 204
        tally.held(isAllowedList || [400, 401, 403, 404, 405].includes(status), `${method} ${path}: ${status}`)
      }
      const { status } = await nobody.ask({ method: own, path, headers: claims })
      tally.held([400, 401, 403].includes(status), `${own} ${path} with a made-up token: ${status}`)
    }
    const pages = await pagesOf(stage.admin)
    tally.held(pages.length >= 40, `only ${pages.length} pages were found`)
    for (const path of pages.filter((path) => !open.test(path))) {
      const { status, headers } = await nobody.page(path)
      const isLedToLogin = status === 303 && headers.location?.startsWith('/login') === true
      tally.held(isLedToLogin || status === 405, `nobody sees ${path}: ${status}`)
    }
    for (const path of [...staffPages, ...staffForms]) {
      const { status } = await stage.baker.browser.page(path)
      tally.held([403, 404].includes(status), `a customer sees ${path}: ${status}`)
    }
    for (const path of ['/bootstrap', '/bootstrap/admin']) {
      const page = await nobody.page(path)
      tally.held([404, 405].includes(page.status), `GET ${path}: ${page.status}`)
      const { status } = await nobody.form(path, { password: 'x', email: 'evil@example.com', repeat: 'x' })
      tally.held([403, 404].includes(status), `POST ${path}: ${status}`)
      const called = await nobody.ask({ method: 'POST', path: `/api/v1${path}`, body: { password: 'x', code: 'x' } })
      tally.held(called.status === 404, `POST /api/v1${path}: ${called.status}`)
    }
  },
}

/** Those that links of the first pages lead to, with the forms of their lists. */
async function pagesOf(browser: PanelBrowser): Promise<readonly string[]> {
  const seen = new Set(['/', '/terminal', '/account', '/api-reference'])
  for (const path of [...seen, '/tenants', '/domains', '/users']) {
    const { text } = await browser.page(path)
    for (const [, link = ''] of text.matchAll(/(?:href|action)="(\/[^"#]*)/g)) seen.add(link.replaceAll('&amp;', '&'))
  }
  return [...seen]
}
