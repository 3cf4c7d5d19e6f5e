/** What panel, agent and waker hold while nothing happens, and what an idle tenant adds. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Bench } from './bench.ts'
import { ofServer } from './needs.ts'
import { Server } from './server.ts'
import { memoryOf } from './usage.ts'

const settleMs = 20_000
const tenants = 5

export const memory: Bench = {
  name: 'memory',
  needs: ofServer,
  summary: 'proportional and anonymous memory of the idle product; processes of idle tenants',
  async run() {
    const server = await Server.start()
    try {
      for (let index = 0; index < tenants; index++) {
        await server.createTenant(`tenant${index}`)
        await server.untilServed(`tenant${index}`)
      }
      await sleep(settleMs)
      const agent = memoryOf(server.agentPid)
      const panel = memoryOf(server.child('panel'))
      const waker = memoryOf(server.child('waker'))
      return [
        {
          name: 'idle panel and agent: proportional memory (PSS)',
          value: agent.pss + panel.pss,
          unit: 'MB',
          target: '<= 150',
        },
        {
          name: 'idle panel and agent: anonymous memory',
          value: agent.anonymous + panel.anonymous,
          unit: 'MB',
          target: '<= 70',
        },
        { name: 'idle agent: anonymous memory', value: agent.anonymous, unit: 'MB', target: null },
        { name: 'idle panel: anonymous memory', value: panel.anonymous, unit: 'MB', target: null },
        { name: 'idle waker: proportional memory (PSS)', value: waker.pss, unit: 'MB', target: null },
        { name: 'idle waker: anonymous memory', value: waker.anonymous, unit: 'MB', target: null },
        {
          name: `processes of ${tenants} idle tenants`,
          value: server.tenantProcesses(),
          unit: 'count',
          target: '<= 0',
        },
      ]
    } finally {
      await server.dispose()
    }
  },
}
