/** What panel, agent and waker hold while nothing happens, and what an idle tenant adds. */
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Bench } from './bench.ts'
import { Server } from './server.ts'

const settleMs = 20_000
const tenants = 5
/** Linux users of tenants (src/agent/registry.ts). */
const firstUid = 20_000
const lastUid = 59_999

export const memory: Bench = {
  name: 'memory',
  summary: 'proportional and anonymous memory of the idle product; processes of idle tenants',
  async run() {
    const server = await Server.start()
    try {
      for (let index = 0; index < tenants; index++) {
        await server.createTenant(`tenant${index}`)
        await server.untilServed(`tenant${index}`)
      }
      await sleep(settleMs)
      const agent = usage(server.agentPid)
      const panel = usage(server.child('panel'))
      const waker = usage(server.child('waker'))
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
        { name: `processes of ${tenants} idle tenants`, value: tenantProcesses(server), unit: 'count', target: '<= 0' },
      ]
    } finally {
      await server.dispose()
    }
  },
}

/** In MB of 1,000,000 bytes, from smaps_rollup (proc(5)). */
function usage(pid: number): { readonly pss: number; readonly anonymous: number } {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  const megabytes = (key: string) => (Number(new RegExp(`^${key}: *(\\d+) kB`, 'm').exec(text)?.[1]) * 1024) / 1e6
  return { pss: megabytes('Pss'), anonymous: megabytes('Anonymous') }
}

/** Of this server only: others may run on the machine. */
function tenantProcesses(server: Server): number {
  return server.usersOfDescendants().filter((uid) => uid >= firstUid && uid <= lastUid).length
}
