import type { Tried } from './attack-class.ts'
import { rawRequest } from './raw-request.ts'
import { get } from './site-request.ts'
import { panelHost } from './stage.ts'

const ups = [
  '../',
  '..%2f',
  '%2e%2e/',
  '%2e%2e%2f',
  '..%252f',
  '..\\',
  '%5c..%5c',
  '....//',
  '..;/',
  '.%00./',
  '%c0%ae%c0%ae/',
  '/./../',
  '%uff0e%uff0e/',
]
const goals = ['etc/passwd', 'proc/self/environ', 'proc/self/root/etc/passwd', 'dev/fd/3', 'var/lib/wcp360/state.db']
const mark = /root:x?:0:0|SQLite format|PATH=/

export const traversal: Tried = {
  name: 'paths that lead out, at sites and panel',
  holds: '400 or 404, nothing of the machine',
  notYet: 'the file manager',
  async attack(stage, tally) {
    for (const up of ups) {
      for (const goal of goals) {
        const path = `/${up.repeat(8)}${goal}`
        const site = await get(stage.product, stage.butcher.site, path)
        tally.held(!mark.test(site.body) && site.status !== 200, `site ${path}: ${site.status}`)
        for (const before of ['/assets', '/link', '']) {
          const { statuses, text } = await rawRequest(
            stage,
            `GET ${before}${path} HTTP/1.1\r\nHost: ${panelHost}\r\nConnection: close\r\n\r\n`,
          )
          tally.held(!mark.test(text) && statuses[0] !== 200, `panel ${before}${path}: ${statuses[0]}`)
        }
      }
    }
    for (const host of [
      '..',
      '.',
      'tenants',
      '../tenants/bakery',
      'hosts',
      '%2e%2e',
      'butcher.example.com/../bakery.example.com',
      '.trash',
      'butcher.example.com%00',
      'BUTCHER.example.com..',
      '-',
    ]) {
      const { status } = await get(stage.product, host, '/index.html')
      tally.held([0, 400].includes(status), `host "${host}": ${status}`)
    }
    for (const path of [
      '/.user.ini',
      '/.htaccess',
      '/.git/config',
      '/x/.env',
      '/index.php%00.txt',
      '/index.php/.php',
      `/${'a/'.repeat(2500)}`,
      '/\xff\xfe',
    ]) {
      const { status, body } = await get(stage.product, stage.butcher.site, encodeURI(path).replaceAll('%25', '%'))
      tally.held(status !== 200 || !mark.test(body), `${path.slice(0, 40)}: ${status}`)
    }
  },
}
