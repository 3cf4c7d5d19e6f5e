/** A process to be killed: runs jobs on the bench of the directory it is given, over and over, until it is gone. */
import '../support/checkout-assets.ts'
import { Bench } from './bench.ts'
import { domain, scenarios, tenant } from './scenarios.ts'

const [root = '', firstToken = '1'] = process.argv.slice(2)
const bench = new Bench(root)
await bench.start()
process.stdout.write('started\n')
let token = Number(firstToken)
for (;;) {
  const jobs = [
    ['domain.create', scenarios['domain.create'].payload],
    ['domain.update', scenarios['domain.update'].payload],
    ['domain.suspend', { tenant, domain }],
    ['domain.unsuspend', { tenant, domain }],
    ['tenant.suspend', { tenant }],
    ['tenant.unsuspend', { tenant }],
    ['domain.delete', { tenant, domain }],
    ['tenant.delete', { tenant }],
    ['tenant.restore', { tenant }],
    ['domain.restore', { tenant, domain }],
  ] as const
  for (const [type, payload] of jobs) {
    token++
    await bench.run(type, payload, { token })
    bench.messages.length = 0
  }
}
