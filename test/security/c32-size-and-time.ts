import type { Tried } from './attack-class.ts'
import { rawRequest } from './raw-request.ts'
import { panelHost } from './stage.ts'

const head = `Host: ${panelHost}\r\n`
const refused = [400, 401, 403, 404, 405, 408, 411, 413, 414, 415, 421, 431, 501, 505]

export const sizeAndTime: Tried = {
  name: 'two readings of one request, sizes, slow clients',
  holds: 'refused or cut off, one answer for one request; others are served meanwhile',
  async attack(stage, tally) {
    const smuggled = `GET /healthz HTTP/1.1\r\n${head}\r\n`
    const twoReadings = [
      `POST /login HTTP/1.1\r\n${head}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
      `POST /login HTTP/1.1\r\n${head}Content-Length: 5\r\nContent-Length: 0\r\n\r\n${smuggled}`,
      `POST /login HTTP/1.1\r\n${head}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${smuggled}`,
      `POST /login HTTP/1.1\r\n${head}Transfer-Encoding: xchunked\r\n\r\n${smuggled}`,
      `POST /login HTTP/1.1\r\n${head}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${smuggled}`,
      `POST /login HTTP/1.1\r\n${head}Transfer-Encoding: chunked\r\nTransfer-Encoding: cow\r\n\r\n0\r\n\r\n${smuggled}`,
      `POST /login HTTP/1.1\r\n${head}Content-Length: +5\r\n\r\n${smuggled}`,
      `POST /login HTTP/1.1\r\n${head}Content-Length: 0x5\r\n\r\n${smuggled}`,
      `POST /login HTTP/1.1\r\n${head}Content-Length: -1\r\n\r\n${smuggled}`,
      `POST /login HTTP/1.1\r\n${head}Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n${smuggled}`,
      `POST /login HTTP/1.1\r\n${head}Transfer-Encoding: chunked\r\n\r\n-1\r\n${smuggled}`,
      `POST /login HTTP/1.1\n${head.replaceAll('\r', '')}Content-Length: 0\n\n`,
      `GET /login HTTP/1.1\r\n${head}X: a\rb\r\n\r\n`,
      `GET /login HTTP/1.1\r\n${head} folded: x\r\n\r\n`,
      `GET /login HTTP/1.1\r\n${head}X\0Y: z\r\n\r\n`,
      `GET /login HTTP/9.9\r\n${head}\r\n`,
      `\x16\x03\x01\x02\x00${'\0'.repeat(50)}`,
      `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`,
    ]
    for (const bytes of twoReadings) {
      const { statuses } = await rawRequest(stage, bytes, 3000)
      tally.held(
        statuses.length <= 1 && statuses.every((status) => refused.includes(status)),
        `${JSON.stringify(bytes.slice(0, 110))}: ${statuses}`,
      )
    }
    const long = (count: number) => 'x'.repeat(count)
    const sizes = [
      `GET /${long(20_000)} HTTP/1.1\r\n${head}\r\n`,
      `GET /login HTTP/1.1\r\n${head}X: ${long(20_000)}\r\n\r\n`,
      `GET /login HTTP/1.1\r\n${head}${'X: y\r\n'.repeat(5000)}\r\n`,
      `GET /login HTTP/1.1\r\n${head}Cookie: ${long(20_000)}\r\n\r\n`,
      `POST /login HTTP/1.1\r\n${head}Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 104857600\r\n\r\n`,
      `POST /login HTTP/1.1\r\n${head}Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 70000\r\n\r\n${long(70_000)}`,
      `POST /api/v1/packages HTTP/1.1\r\n${head}Content-Type: application/json\r\nContent-Length: 300000\r\n\r\n${long(300_000)}`,
    ]
    for (const bytes of sizes) {
      const { statuses } = await rawRequest(stage, bytes)
      tally.held(
        statuses.every((status) => refused.includes(status)),
        `${bytes.length} bytes ${bytes.slice(0, 30)}: ${statuses}`,
      )
    }
    for (const body of [
      `a=1&`.repeat(5000),
      `${'a'.repeat(30_000)}=1`,
      '%'.repeat(10_000),
      `a=${'%00'.repeat(5000)}`,
    ]) {
      const { status } = await stage.browser().ask({
        method: 'POST',
        path: '/login',
        body,
        headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' },
      })
      tally.held(refused.includes(status), `form ${body.slice(0, 10)}: ${status}`)
    }
    for (const { what, seconds } of await stage.slowClients) tally.held(seconds !== null, `still open: ${what}`)
  },
}
