import { request } from 'node:http'
import type { Tried } from './attack-class.ts'
import { panelHost, password, type Stage } from './stage.ts'

/** A cookie that an attacker knew before, or of a session that is over, is worth nothing. */
export const sessionFixation: Tried = {
  name: "session fixation, cookie tossing, the panel's name on the sites' ports",
  holds: 'another cookie at each sign-in and proof, the old one dead; no site answers for the panel',
  async attack(stage, tally) {
    const isIn = async (cookie: string | null) => {
      const browser = stage.browser()
      browser.cookie = cookie
      return (await browser.page('/account')).status === 200
    }
    await stage.root('POST', '/users', { email: 'fixed@example.com', password, role: 'user', tenant: 'butcher' })
    const victim = stage.browser('127.0.17.1')
    await victim.token()
    const planted = victim.cookie
    tally.held(planted !== null, 'no cookie before signing in')
    await victim.signIn('fixed@example.com', password)
    tally.held(victim.cookie !== planted && (await isIn(victim.cookie)), 'the cookie of before signing in was kept')
    tally.held(!(await isIn(planted)), 'the cookie of before signing in is signed in')

    const invented = stage.browser('127.0.17.1')
    invented.cookie = 'A'.repeat(43)
    await invented.signIn('fixed@example.com', password)
    tally.held(
      invented.cookie !== 'A'.repeat(43) && !(await isIn('A'.repeat(43))),
      'an invented cookie became a session',
    )

    const beforeProof = victim.cookie
    await victim.form('/confirm', { password, next: '/' })
    tally.held(
      victim.cookie !== beforeProof && !(await isIn(beforeProof)),
      'the cookie of before the proof still works',
    )

    const beforeLogout = victim.cookie
    await victim.form('/logout', {})
    tally.held(!(await isIn(beforeLogout)), 'the cookie of before signing out still works')

    for (const [what, change] of changesThatEnd(stage)) {
      const browser = await stage.signedIn('fixed@example.com', '127.0.17.2')
      await change()
      tally.held(!(await isIn(browser.cookie)), `the session lives on after: ${what}`)
    }

    const { cookie } = stage.butcher.browser
    for (const header of [
      `__Host-wcp=${'B'.repeat(43)}; __Host-wcp=${cookie}`,
      `__Host-wcp=${cookie}; __Host-wcp=${'B'.repeat(43)}`,
      `__host-wcp=${cookie}`,
      `wcp=${cookie}`,
      `__Host-wcp="${cookie}"`,
      `__Host-wcp=${cookie}%00`,
    ]) {
      const { status } = await stage
        .browser()
        .ask({ path: '/account', headers: { cookie: header, accept: 'text/html' } })
      tally.held(status !== 200, `a tossed cookie is taken: ${header.slice(0, 30)}`)
    }
    const set = (await stage.browser().page('/login')).headers['set-cookie']?.[0] ?? ''
    for (const part of ['Secure', 'HttpOnly', 'SameSite=Strict', 'Path=/'])
      tally.held(set.includes(part), `the cookie is not ${part}`)
    tally.held(!/domain=/i.test(set), 'the cookie names a domain')

    for (const host of [panelHost, `x.${panelHost}`, '127.0.0.1', 'localhost', '', 'unknown.example.net']) {
      tally.same(await statusOf(stage, host), 0, `a site answered for "${host}"`)
    }
    for (const fqdn of [panelHost, `x.${panelHost}`, panelHost.slice(panelHost.indexOf('.') + 1)]) {
      const claim = await stage.butcher.browser.call('POST', '/api/v1/domains', { tenant: 'butcher', fqdn })
      tally.held(claim.status >= 400, `a customer was given "${fqdn}"`)
    }
  },
}

function changesThatEnd(stage: Stage): readonly (readonly [string, () => Promise<unknown>])[] {
  const user = '/users/fixed@example.com'
  return [
    ['password changed', () => stage.root('PATCH', user, { password })],
    ['suspended', () => stage.root('POST', `${user}/suspend`).then(() => stage.root('POST', `${user}/unsuspend`))],
    ['deleted', () => stage.root('DELETE', user)],
  ]
}

function statusOf({ product }: Stage, host: string): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>()
  const asked = request({ host: '127.0.0.1', port: product.ports.http, headers: { host }, agent: false }, (answer) => {
    answer.resume()
    resolve(answer.statusCode === 400 ? 0 : (answer.statusCode ?? 0)) // nginx refuses to read an empty one
  })
  asked.on('error', () => resolve(0)).end()
  return promise
}
