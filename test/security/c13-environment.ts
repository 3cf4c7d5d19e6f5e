import { readFileSync } from 'node:fs'
import { Fqdn, TenantName } from '../../src/contract/values.ts'
import { processesOf } from '../support/processes.ts'
import { runAs } from './as-tenant.ts'
import type { Tried } from './attack-class.ts'
import { get } from './site-request.ts'
import type { Stage } from './stage.ts'
import type { Tally } from './tally.ts'

const evil = /evil|NODE_OPTIONS|BASH_ENV|HTTP_PROXY|LD_PRELOAD|LD_LIBRARY_PATH/

/** The agent of the stage was started with such an environment. */
export const environment: Tried = {
  name: 'what an inherited environment or a header does to the processes',
  holds: 'literal environments everywhere, no proxy in PHP, no second line in a cron job',
  notYet: 'timers and units of tenants',
  async attack(stage, tally) {
    await cronJobs(stage, tally)
    const { product, butcher } = stage
    const docroot = product.places.customers.docroot(TenantName.parse(butcher.name), Fqdn.parse(butcher.site))
    const code = `<?php echo json_encode([getenv('HTTP_PROXY'), $_SERVER['HTTP_PROXY'] ?? '', array_keys(getenv())]);`
    runAs(
      butcher,
      `file_put_contents('env.php', base64_decode('${Buffer.from(code).toString('base64')}')); chmod('env.php', 0640);`,
      docroot,
    )
    for (const header of ['Proxy', 'PROXY', 'proxy', 'pRoXy']) {
      const { body } = await get(product, butcher.site, '/env.php', false, { [header]: 'http://evil.example' })
      const [env, server, keys] = JSON.parse(body) as [unknown, unknown, string[]]
      tally.held((env === false || env === '') && server === '', `${header}: ${body.slice(0, 120)}`)
      tally.same(
        keys.filter((key) => evil.test(key)),
        [],
        'PHP inherited',
      )
    }
    for (const { pid, words } of processesOf(product.root)) {
      if (pid === product.pids.agent || /\/strace$/.test(words[0] ?? '')) continue
      const inherited = environ(pid).filter((setting) => evil.test(setting))
      tally.same(inherited, [], `"${(words[0] ?? '').split(' ')[0]}" inherited`)
    }
  },
}

/** A crontab is lines, and a unit too: none of this may become one. */
async function cronJobs({ root, butcher }: Stage, tally: Tally): Promise<void> {
  const plain = { domain: butcher.site, name: 'evil', schedule: '@daily', command: ['true'] }
  const second = '* * * * * root id'
  for (const evil of [
    { name: `evil\n${second}` },
    { schedule: `@daily\n${second}` },
    { schedule: second },
    { schedule: '@reboot' },
    { timeZone: '../../etc/shadow' },
    { command: ['true', `\n${second}`] },
    { command: ['true\0'] },
    { command: ['x'.repeat(100_000)] },
    { command: ['LD_PRELOAD=/tmp/evil.so', 'id'] },
    ...['LD_PRELOAD=/tmp/evil.so', 'PATH=/tmp', `A=b\n${second}`, '-i=x', '=x', 'A'].map((one) => ({
      environment: [one],
    })),
  ])
    tally.same(
      (await root('POST', '/cron-jobs', { ...plain, ...evil })).status,
      422,
      JSON.stringify(evil).slice(0, 120),
    )
}

function environ(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')
  } catch {
    return [] // it has ended
  }
}
