import { existsSync } from 'node:fs'
import { Fqdn, TenantName } from '../../src/contract/values.ts'
import { runAs } from './as-tenant.ts'
import type { Tried } from './attack-class.ts'
import { inEveryText } from './every-text.ts'
import { executions } from './executed.ts'

const canary = '/tmp/wcp-c02-canary'
const payloads = [
  `-oProxyCommand=touch ${canary}`,
  `--checkpoint-action=exec=touch ${canary}`,
  `--upload-pack=touch ${canary}`,
  '-rf',
  '--root=/',
  '--',
  '-',
  '@/etc/passwd',
  `ext::touch ${canary}`,
  '-c/etc/evil.conf',
]

/** As a value, and as the name of a file where root works on a site. */
export const options: Tried = {
  name: 'values and file names that a program would take for its options',
  holds: 'refused, or never a word of a command',
  notYet: 'backups, deployments from git, databases',
  async attack(stage, tally) {
    const { root, world, product, butcher } = stage
    await inEveryText(stage, tally, payloads)

    const fqdn = Fqdn.parse('options-of-c02.net')
    await root('POST', '/domains', { tenant: butcher.name, fqdn })
    await world.settled()
    const names = JSON.stringify([...payloads.map((name) => name.replaceAll('/', '\u2215')), '--checkpoint=1', '*'])
    const code = `foreach (json_decode(base64_decode('${btoa(unescape(encodeURIComponent(names)))}')) as $name) { file_put_contents($name, ''); mkdir("dir$name"); } echo count(scandir('.'));`
    const said = runAs(butcher, code, product.places.customers.docroot(TenantName.parse(butcher.name), fqdn))
    tally.held(Number(said) > 2 * payloads.length, `the files could not be made: ${said}`)
    for (const [method, path] of [
      ['POST', `/domains/${fqdn}/suspend`],
      ['POST', `/domains/${fqdn}/unsuspend`],
      ['DELETE', `/domains/${fqdn}`],
      ['POST', `/domains/${fqdn}/restore`],
    ] as const) {
      const { status, text } = await root(method, path)
      tally.held(status < 300, `${method} ${path}: ${status} ${text.slice(0, 200)}`)
      const jobs = await world.settled()
      tally.held(jobs[0]?.state === 'succeeded', `${method} ${path}: its job has ${jobs[0]?.state}`)
    }
    const words = new Set(executions(stage.executed()).flatMap(({ argv }) => argv))
    for (const payload of payloads.filter((one) => !/^-+$/.test(one)))
      tally.held(!words.has(payload), `"${payload}" is a word of a command`)
    tally.held(!existsSync(canary), `"${canary}" was made`)
  },
}
