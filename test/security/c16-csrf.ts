import type { Tried } from './attack-class.ts'
import { panelHost, password } from './stage.ts'

const form = { 'content-type': 'application/x-www-form-urlencoded' }

/** A page of another site has the browser ask with the cookie of whoever is signed in. */
export const csrf: Tried = {
  name: 'forged requests of a signed-in browser',
  holds: '403, and nothing was done; signing in and out cannot be forged either',
  async attack(stage, tally) {
    const { admin, product } = stage
    const own = await admin.token()
    const foreign = await stage.baker.browser.token()
    const beforeLogin = stage.browser()
    const anonymous = await beforeLogin.token()
    const sibling = `https://shop.${panelHost.slice(panelHost.indexOf('.') + 1)}`
    const here = `https://127.0.0.1:${product.ports.panel}`
    const origins: readonly Record<string, string>[] = [
      {},
      { origin: 'null' },
      { origin: 'https://evil.example' },
      { origin: sibling },
      { origin: `https://127.0.0.1:${product.ports.panel + 1}` },
      { origin: `http://127.0.0.1:${product.ports.panel}` },
      { origin: `${here}.evil.example` },
      { origin: here, 'sec-fetch-site': 'cross-site' },
      { origin: here, 'sec-fetch-site': 'same-site' },
      { origin: here, 'sec-fetch-site': 'none' },
      { referer: 'https://evil.example/' },
      { referer: `https://evil.example/?${here}/` },
    ]
    const packages = async () => (await stage.root('GET', '/packages')).json().items?.length
    const before = await packages()
    const fields = (token: string | null) =>
      new URLSearchParams({ ...(token !== null && { _csrf: token }), name: 'forged' }).toString()
    for (const headers of origins) {
      for (const path of ['/do/package.create', '/terminal', '/logout', '/confirm', '/login']) {
        const answer = await admin.ask({ method: 'POST', path, body: fields(own), headers: { ...form, ...headers } })
        tally.same(answer.status, 403, `POST ${path} with ${JSON.stringify(headers)}`)
      }
      const rest = { 'x-csrf-token': own, ...headers }
      const answer = await admin.ask({
        method: 'POST',
        path: '/api/v1/packages',
        body: { name: 'forged' },
        headers: rest,
      })
      // A browser that says "another site" is not even known: it asks as nobody.
      tally.held([401, 403].includes(answer.status), `REST with ${JSON.stringify(headers)}: ${answer.status}`)
    }
    const same = { origin: here, 'sec-fetch-site': 'same-origin' }
    const tokens = [
      null,
      '',
      'x',
      own.slice(0, -1),
      `${own}A`,
      own.toUpperCase(),
      foreign,
      anonymous,
      admin.cookie ?? '',
    ]
    for (const token of tokens) {
      for (const path of ['/do/package.create', '/logout', '/terminal']) {
        const answer = await admin.ask({ method: 'POST', path, body: fields(token), headers: { ...form, ...same } })
        tally.same(answer.status, 403, `POST ${path} with token ${token?.slice(0, 8)}`)
      }
      const rest = await admin.ask({
        method: 'POST',
        path: '/api/v1/packages',
        body: { name: 'forged' },
        headers: { ...same, ...(token !== null && { 'x-csrf-token': token }) },
      })
      tally.same(rest.status, 403, `REST with token ${token?.slice(0, 8)}`)
    }
    // JSON in the clothes of a form, a method in a field or a header, a token in the address, a token twice.
    const disguises: readonly { path: string; body: string; headers: Record<string, string> }[] = [
      {
        path: '/api/v1/packages',
        body: '{"name":"forged"}',
        headers: { 'content-type': 'text/plain', 'x-csrf-token': own },
      },
      { path: '/api/v1/packages', body: fields(own), headers: { ...form, 'x-csrf-token': own } },
      {
        path: '/do/package.create',
        body: JSON.stringify({ _csrf: own, name: 'forged' }),
        headers: { 'content-type': 'application/json' },
      },
      { path: `/do/package.create?_csrf=${own}`, body: fields(null), headers: form },
      { path: '/do/package.create', body: `_csrf=${own}&_csrf=x&name=forged`, headers: form },
      {
        path: '/do/package.create',
        body: `--x\r\nContent-Disposition: form-data; name="_csrf"\r\n\r\n${own}\r\n--x--`,
        headers: { 'content-type': 'multipart/form-data; boundary=x' },
      },
    ]
    for (const { path, body, headers } of disguises) {
      const answer = await admin.ask({ method: 'POST', path, body, headers: { ...headers, ...same } })
      tally.held(answer.status >= 400, `POST ${path.slice(0, 30)} as ${headers['content-type']}: ${answer.status}`)
    }
    for (const path of [
      '/do/package.create?name=forged&_method=POST',
      '/logout',
      '/api/v1/packages?_method=POST&name=forged',
    ]) {
      const answer = await admin.ask({ path, headers: { 'x-http-method-override': 'POST', accept: 'text/html' } })
      tally.held(
        answer.status !== 303 || !String(answer.headers.location).startsWith('/packages'),
        `GET ${path}: ${answer.status}`,
      )
    }
    tally.same(await packages(), before, 'packages were made')
    tally.same((await admin.page('/account')).status, 200, 'the administrator was signed out')
    // Signing a victim in to the attacker's account needs the victim's own token of before.
    const victim = stage.browser()
    await victim.token()
    const credentials = new URLSearchParams({ _csrf: anonymous, email: 'butcher@example.com', password }).toString()
    const login = await victim.ask({ method: 'POST', path: '/login', body: credentials, headers: { ...form, ...same } })
    tally.same(login.status, 403, 'signing in with the token of another cookie')
  },
}
