/** The database servers that tenants have databases on, among the services of the machine. Others are nobody's business. */
import { setTimeout as pause } from 'node:timers/promises'
import type { DatabaseEngine } from '../contract/database.ts'
import type { ServerStatus } from './os/databases/database-server.ts'
import type { Machine } from './os/machine.ts'
import type { ServiceState } from './os/services.ts'

/** Whoever asks for the health waits ten seconds. */
const longestMs = 4000

/** @returns asks them; one that has not answered yet is not asked again meanwhile */
export function databaseStates(servers: Machine['databases'], mostMs = longestMs) {
  const asking = new Map<DatabaseEngine, Promise<ServerStatus | string>>()

  function ask(name: DatabaseEngine): Promise<ServerStatus | string> {
    const asked = asking.get(name) ?? servers[name].status().catch(messageOf)
    asking.set(name, asked)
    void asked.finally(() => asking.delete(name))
    return asked
  }

  async function state(name: DatabaseEngine): Promise<ServiceState> {
    const found = await Promise.race([ask(name), pause(mostMs, undefined, { ref: false })])
    if (found === undefined) return { name, state: 'failed', detail: `it did not answer within ${mostMs / 1000} s` }
    if (typeof found === 'string') return { name, state: 'failed', detail: found }
    return { name, state: 'running', detail: words(found) }
  }

  return (used: readonly DatabaseEngine[]): Promise<readonly ServiceState[]> => Promise.all(used.map(state))
}

function words({ version, connections, mostConnections }: ServerStatus): string {
  return `${version}, ${connections} of ${mostConnections} connections`
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'it did not answer'
}
