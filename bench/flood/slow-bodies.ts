/** Connections that send a body byte by byte, from many addresses to a few sites: as many as all limits let in. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { hostOf } from '../server.ts'
import type { Attack } from './attack.ts'
import type { SlowClients, SlowSummary } from './slow-clients.ts'

const wanted = 10_000
const addresses = 50
/** `connections_per_site` is 2,048. */
const sites = Array.from({ length: 5 }, (_, at) => `slow${at}`)
const clients = fileURLToPath(new URL('slow-clients.ts', import.meta.url))

export const slowBodies: Attack = {
  name: `${wanted} slow bodies from ${addresses} addresses`,
  mostRatio: 1.5,
  rounds: 5,
  async prepare(server) {
    for (const name of sites) {
      await server.createTenant(name)
      await server.untilServed(name)
    }
    await server.untilQuiet()
    for (const name of sites) server.putPage(name, '<?php echo "slow";') // a file would answer POST with 405 at once
  },
  async begin(server) {
    const what: SlowClients = { port: server.ports.http, hosts: sites.map(hostOf), wanted, addresses }
    // in a session of its own, as `wrk.ts` has its visitors
    const child = fork(clients, [JSON.stringify(what)], { detached: true })
    await once(child, 'message')
    return {
      async stop() {
        const told = once(child, 'message') as Promise<[SlowSummary]> // what slow-clients.ts sends
        child.send('stop')
        const [{ held, ended }] = await told
        await once(child, 'exit')
        return [
          { name: `${slowBodies.name}: held at the end`, value: held, unit: 'count', target: `>= ${wanted * 0.99}` },
          { name: `${slowBodies.name}: refused or ended`, value: ended, unit: 'count', target: null },
        ]
      },
    }
  },
}
