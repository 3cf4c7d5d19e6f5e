/**
 * A new tenant's first answer beside visitors who never pause, and what it costs them; a cold site's first answer with
 * them and without.
 */
import { type Bench, percentile, timed } from './bench.ts'
import { ofVisitors } from './needs.ts'
import { hostOf, Server } from './server.ts'
import { startRush } from './wrk.ts'

const tenants = 30
const connections = 4
const page = '<?php echo "hello from ", posix_geteuid();'

export const site: Bench = {
  name: 'site',
  needs: ofVisitors,
  summary:
    'creating tenants with a PHP site beside a site whose visitors never pause; cold and warm first answers with and without them',
  async run() {
    const server = await Server.start()
    try {
      await server.createTenant('resident')
      await server.untilServed('resident')
      const names = Array.from({ length: tenants }, (_, index) => `tenant${index}`)
      const workers = server.webWorkers()
      const rush = startRush({ port: server.ports.http, host: hostOf('resident'), connections })

      const created: number[] = []
      for (const name of names) created.push(await timed(() => createAndServe(server, name)))
      await server.untilQuiet()
      for (const name of names) server.putPage(name, page)
      const beside = await wake(server, names.slice(0, tenants / 2))
      const { failed, requests, perSecond, p99 } = await rush.stop()
      const alone = await wake(server, names.slice(tenants / 2))
      const reloads = server.webWorkers().filter((pid) => !workers.includes(pid)).length
      return [
        {
          name: 'new tenant with site: request to first 200, p95',
          value: percentile(created, 95),
          unit: 'ms',
          target: '<= 1000',
        },
        {
          name: 'new tenant with site: request to first 200, median',
          value: percentile(created, 50),
          unit: 'ms',
          target: null,
        },
        { name: `failed requests of visitors meanwhile, of ${requests}`, value: failed, unit: 'count', target: '<= 0' },
        { name: 'visitors: answers', value: perSecond, unit: 'per second', target: null },
        { name: 'visitors: p99', value: p99, unit: 'ms', target: null },
        { name: 'web server workers replaced by reloads meanwhile', value: reloads, unit: 'count', target: '<= 0' },
        { name: 'cold PHP site: first answer, p95', value: percentile(alone.cold, 95), unit: 'ms', target: '<= 150' },
        { name: 'cold PHP site: first answer, median', value: percentile(alone.cold, 50), unit: 'ms', target: null },
        { name: 'warm PHP site: answer, median', value: percentile(alone.warm, 50), unit: 'ms', target: null },
        { name: 'cold, beside the visitors, p95', value: percentile(beside.cold, 95), unit: 'ms', target: null },
        { name: 'warm, beside the visitors, median', value: percentile(beside.warm, 50), unit: 'ms', target: null },
      ]
    } finally {
      await server.dispose()
    }
  },
}

export async function createAndServe(server: Server, name: string): Promise<void> {
  await server.createTenant(name)
  await server.untilServed(name)
}

/** First and second answer of sleeping sites, in milliseconds. */
async function wake(server: Server, names: readonly string[]): Promise<Readonly<Record<'cold' | 'warm', number[]>>> {
  const cold: number[] = []
  const warm: number[] = []
  for (const name of names) {
    cold.push(await timed(() => mustServe(server, name)))
    warm.push(await timed(() => mustServe(server, name)))
  }
  return { cold, warm }
}

async function mustServe(server: Server, name: string): Promise<void> {
  const status = await server.visit(name)
  if (status !== 200) throw new Error(`the site of ${name} answered ${status}`)
}
