import type { Tried } from './attack-class.ts'
import { rawRequest } from './raw-request.ts'
import { panelHost, password } from './stage.ts'

const evil = 'evil.example'

export const hostHeader: Tried = {
  name: 'host header, open redirects, header injection',
  holds: 'unknown hosts are refused, every redirect leads to the panel',
  async attack(stage, tally) {
    for (const host of [
      evil,
      `${panelHost}.${evil}`,
      `x${panelHost}`,
      `${panelHost}@${evil}`,
      `${evil}#${panelHost}`,
      `${panelHost}:99999`,
      '',
      ' ',
      '[::',
      '0',
      '127.1',
      '2130706433',
      'a..b',
      `${panelHost},${evil}`,
    ]) {
      const { statuses, text } = await rawRequest(
        stage,
        `GET /login HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
      )
      tally.held((statuses[0] ?? 400) >= 400, `Host "${host}": ${statuses[0]}`)
      tally.held(!text.includes(evil), `an answer names "${evil}"`)
    }
    const head = `Host: ${panelHost}\r\nConnection: close\r\n`
    for (const request of [
      `GET /login HTTP/1.1\r\n${head}Host: ${evil}\r\n\r\n`,
      `GET https://${evil}/login HTTP/1.1\r\n${head}\r\n`,
      `GET //${evil}/login HTTP/1.1\r\n${head}\r\n`,
      `CONNECT ${evil}:443 HTTP/1.1\r\n${head}\r\n`,
      `GET * HTTP/1.1\r\n${head}\r\n`,
      `GET /login HTTP/1.1\r\n\r\n`,
      `GET /login HTTP/1.0\r\n\r\n`,
    ]) {
      const { statuses } = await rawRequest(stage, request)
      tally.held((statuses[0] ?? 400) >= 400, `${request.split('\r\n', 1)[0]}: ${statuses[0]}`)
    }
    for (const header of [
      'X-Forwarded-Host',
      'X-Host',
      'Forwarded',
      'X-Forwarded-Server',
      'X-Original-URL',
      'X-Rewrite-URL',
    ]) {
      const value = header === 'Forwarded' ? `host=${evil}` : evil
      const { text } = await rawRequest(stage, `GET / HTTP/1.1\r\n${head}${header}: ${value}\r\n\r\n`)
      tally.held(!text.includes(evil), `${header} is believed`)
    }
    const nexts = [
      `//${evil}`,
      `/\\${evil}`,
      `\\\\${evil}`,
      `https://${evil}`,
      `/%0d%0aSet-Cookie:a=b`,
      `/..//${evil}`,
      `/.//${evil}`,
      `javascript:alert(1)`,
      `/tenants\r\nX: y`,
      `//${evil}/tenants`,
      `/tenants@${evil}`,
      `/ /${evil}`,
      `/\t/${evil}`,
      `data:text/html,x`,
      `/logout`,
    ]
    for (const [index, next] of nexts.entries()) {
      const browser = stage.browser(`127.0.18.${index + 1}`)
      const answer = await browser.form('/login', { email: 'butcher@example.com', password, next })
      tally.held(
        answer.status === 303 && leadsHere(answer.headers.location),
        `login leads to ${answer.headers.location}`,
      )
      tally.held(!('x' in answer.headers), 'a header was injected')
      const page = await stage.browser().page(`/login?next=${encodeURIComponent(next)}`)
      tally.held(
        !page.text.includes(`value="//${evil}`) && !page.text.includes(`value="https://${evil}`),
        `the form keeps ${next}`,
      )
    }
    for (const back of nexts) {
      const answer = await stage.admin.form('/do/package.update', {
        package: 'basic',
        name: 'basic',
        description: `back ${back.length}`,
        _back: back,
      })
      if (answer.status === 303)
        tally.held(leadsHere(answer.headers.location), `_back leads to ${answer.headers.location}`)
      tally.held(
        !answer.text.includes(`href="//${evil}`) && !answer.text.includes(`href="https://${evil}`),
        `a page links to ${back}`,
      )
      const confirmed = await stage.admin.form('/confirm', { password, next: back })
      tally.held(leadsHere(confirmed.headers.location ?? '/'), `confirm leads to ${confirmed.headers.location}`)
    }
  },
}

/** As a browser reads it. */
function leadsHere(location: string | undefined): boolean {
  if (location === undefined) return false
  return new URL(location, `https://${panelHost}/`).origin === `https://${panelHost}`
}
