import { Agent } from 'node:http'
import { join } from 'node:path'
import { Fqdn, TenantName } from '../../src/contract/values.ts'
import { exchange, keepRunningAs, runAs } from './as-tenant.ts'
import type { Tried } from './attack-class.ts'
import { get } from './site-request.ts'

const secret = 'wcp-canary-of-the-baker'
const targets = [
  '/etc/passwd',
  '/etc/hostname',
  '/proc/self/environ',
  '/proc/1/cmdline',
  '/proc/self/root/etc/passwd',
  '/dev/fd/0',
  '/var/log',
]

export const linksOnTheWeb: Tried = {
  name: "links from a site to what is another's, also swapped while it is asked for",
  holds: "never another's content; own links work",
  async attack(stage, tally) {
    const { product, baker, butcher } = stage
    const docrootOf = (customer: typeof baker) =>
      product.places.customers.docroot(TenantName.parse(customer.name), Fqdn.parse(customer.site))
    const [theirs, own] = [docrootOf(baker), docrootOf(butcher)]
    runAs(
      baker,
      `umask(0); file_put_contents('secret.txt', '${secret}'); chmod('secret.txt', 0644); mkdir('d'); file_put_contents('d/secret.txt', '${secret}');`,
      theirs,
    )
    const links = [
      ...targets,
      join(theirs, 'secret.txt'),
      product.places.panelState,
      product.places.auditLog,
      product.places.nginxConfig,
    ]
    const lines = links.map((target, index) => `symlink('${target}', 'link${index}');`)
    runAs(
      butcher,
      `${lines.join('\n')} symlink('${theirs}', 'dir'); symlink('/', 'top'); file_put_contents('own.txt', 'own'); symlink('own.txt', 'own-link'); @link('${theirs}/secret.txt', 'hard');`,
      own,
    )
    for (const index of links.keys()) {
      const { status, body } = await get(product, butcher.site, `/link${index}`)
      tally.held([403, 404].includes(status), `${links[index]}: ${status} ${body.slice(0, 40)}`)
    }
    for (const path of ['/dir/secret.txt', '/dir/d/secret.txt', '/top/etc/passwd', '/hard', '/link7/x', '/dir/']) {
      const { status, body } = await get(product, butcher.site, path)
      tally.held([403, 404].includes(status) && !body.includes(secret), `${path}: ${status}`)
    }
    tally.same((await get(product, butcher.site, '/own-link')).body, 'own', 'an own link is not followed')

    runAs(
      butcher,
      `mkdir('swap'); file_put_contents('swap/secret.txt', 'own'); file_put_contents('leaf', 'own'); symlink('${theirs}', 'swap-to'); symlink('${theirs}/secret.txt', 'leaf-to');`,
      own,
    )
    const racer = await keepRunningAs(
      butcher,
      `${exchange} echo "begun\\n"; for (;;) { exchange('swap', 'swap-to'); exchange('leaf', 'leaf-to'); }`,
      own,
    )
    const agent = new Agent({ keepAlive: true, maxSockets: 4 })
    try {
      const one = async (index: number) =>
        (await get(product, butcher.site, index % 2 === 0 ? '/swap/secret.txt' : '/leaf', agent)).body
      for (let batch = 0; batch < 250; batch++) {
        const bodies = await Promise.all([0, 1, 2, 3].map(one))
        for (const body of bodies) tally.held(!body.includes(secret), "the neighbour's file was served during a swap")
      }
    } finally {
      await racer.end()
      agent.destroy()
    }
  },
}
