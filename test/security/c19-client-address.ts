import type { Tried } from './attack-class.ts'

const headers = [
  'X-Forwarded-For',
  'X-Real-IP',
  'CF-Connecting-IP',
  'True-Client-IP',
  'X-Client-IP',
  'Forwarded',
  'X-Cluster-Client-IP',
  'Fastly-Client-IP',
]

export const clientAddresses: Tried = {
  name: 'another address in a header',
  holds: 'throttle and audit trail go by the socket',
  async attack(stage, tally) {
    const browser = stage.browser('127.0.19.1')
    const email = 'nobody-of-c19@example.com'
    const statuses: number[] = []
    for (const [index, header] of [...headers, ...headers].entries()) {
      const value = header === 'Forwarded' ? `for=8.8.8.${index}` : `8.8.8.${index}`
      const { status } = await browser.form('/login', { email, password: 'wrong password' }, { [header]: value })
      statuses.push(status)
    }
    tally.held(
      statuses.slice(0, 5).every((status) => status === 401),
      `the first tries: ${statuses.slice(0, 5)}`,
    )
    tally.held(
      statuses.slice(6).every((status) => status === 429),
      `later tries are not slowed: ${statuses}`,
    )
    const { items = [] } = (await stage.root('GET', `/audit?search=${encodeURIComponent(email)}&limit=100`)).json()
    tally.held(items.length > 0, 'nothing was written down')
    for (const { ip } of items) tally.same(ip, '127.0.19.1', 'the audit trail')
  },
}
