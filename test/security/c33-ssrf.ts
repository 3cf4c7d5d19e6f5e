import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import type { Tried } from './attack-class.ts'
import type { Stage } from './stage.ts'

/** Where nothing may lead to; `PORT` is one that listens on every address of this machine. */
const inside = [
  ...['127.0.0.1', '127.1', '127.255.255.254', '0', '0.0.0.0', '0x7f.1', '0x7f000001', '2130706433', '017700000001'],
  ...['①②⑦.⓪.⓪.①', '127。0。0。1', '[::1]', '[::]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[0:0:0:0:0:0:0:1]'],
  ...['[64:ff9b::7f00:1]', '[2002:7f00:1::]', '[fe80::1]', '[fd00::1]', '[::127.0.0.1]', 'localhost'],
  ...[
    '10.0.0.1',
    '172.16.0.1',
    '192.168.0.1',
    '100.64.0.1',
    '169.254.169.254',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
  ],
].map((host) => `https://${host}:PORT/x`)

const noTargets = [
  ...[
    'http://hooks.example.com/',
    'file:///etc/passwd',
    'unix:/run/wcp360/cli.sock',
    'ftp://127.0.0.1/',
    'gopher://127.0.0.1:25/',
  ],
  ...[
    'https://root:x@127.0.0.1:PORT/',
    'https://hooks.example.com@127.0.0.1:PORT/',
    'https://127.0.0.1:PORT/#x',
    'data:,x',
  ],
  ...[
    'https://',
    'https:127.0.0.1:PORT',
    '//127.0.0.1:PORT',
    'https://a b/',
    'https://127.0.0.1:99999/',
    'javascript:1',
  ],
  ...[
    'https://hooks.example.com/\r\nX: y',
    'https://hooks.example.com\r\nHost: x',
    'https://[::1%25lo]:PORT/',
    'https://[fe80::1%lo]:PORT/',
  ],
]

export const ssrf: Tried = {
  name: 'requests that lead inside, by webhooks',
  holds: 'refused before a connection was made; only staff has them at all',
  says: [/^a webhook did not take an event$/],
  notYet: 'remote backups, imports, ACME',
  async attack(stage, tally) {
    let connections = 0
    const trap = createServer((socket) => {
      connections++
      socket.destroy()
    })
    trap.listen(0)
    await once(trap, 'listening')
    const { port } = trap.address() as AddressInfo // a TCP server that listens
    const ids: string[] = []
    const at = (url: string) => url.replace('PORT', String(port))
    const make = (browser: Stage['admin'], name: string, url: string) =>
      browser.call('POST', '/api/v1/webhooks', { name, url: at(url), events: ['job.failed'] })
    try {
      for (const [who, browser] of [
        ['customer', stage.butcher.browser],
        ['reseller', stage.reseller],
      ] as const)
        tally.same((await make(browser, 'mine', 'https://hooks.example.com/')).status, 403, `a webhook of a ${who}`)
      for (const url of noTargets) {
        const { status } = await make(stage.admin, 'none', url)
        tally.same(status, 422, at(url))
      }
      const urls = [...inside, `https://127.0.0.1:${stage.product.ports.panel}/`]
      for (const [index, url] of urls.entries()) {
        const { status, json } = await make(stage.admin, `in${index}`, url)
        tally.held([201, 422].includes(status), `${at(url)}: ${status}`)
        if (status !== 201) continue
        const id = String(json().id)
        ids.push(id)
        await stage.admin.call('POST', `/api/v1/webhooks/${id}/test`)
      }
      tally.held(ids.length >= 15, `only ${ids.length} were tried`)
      for (const id of ids) {
        const tried = await triedOf(stage, id)
        const { url } = (await stage.root('GET', `/webhooks/${id}`)).json()
        tally.held(
          tried.status === null && /no address of the public|ENOTFOUND|EAI_AGAIN/.test(tried.problem),
          `${url}: ${tried.status} ${tried.problem}`,
        )
      }
    } finally {
      for (const id of ids) await stage.root('DELETE', `/webhooks/${id}`)
      trap.close()
    }
    tally.same(connections, 0, 'connections came')
  },
}

interface Try {
  readonly status: number | null
  readonly problem: string
}

/** How the first try of its only delivery ended. */
async function triedOf({ root, product }: Stage, id: string): Promise<Try> {
  const tries = async () => ((await root('GET', `/webhooks/${id}/deliveries`)).json().items?.[0]?.tries ?? []) as Try[]
  await product.until('the webhook was tried', async () => (await tries()).length > 0, 60_000)
  const [first] = await tries()
  return first ?? { status: null, problem: 'not tried' }
}
