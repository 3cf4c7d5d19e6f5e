/** Processes of a tenant by the number of its user, for a machine whose kernel gives us no namespaces. */
import { lstatSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { WcpError } from '../../contract/errors.ts'
import type { TenantName } from '../../contract/values.ts'
import type { Layout } from './layout.ts'
import { processes, signal } from './processes.ts'

const mostPasses = 400

/** Its home tells the number: it was made with it, in a directory of root's. 0 when there is no home, or it is not a tenant's. */
export function uidOf({ customers }: Layout, tenant: TenantName): number {
  return lstatSync(customers.home(tenant), { throwIfNoEntry: false })?.uid ?? 0
}

export function processesOf(places: Layout, tenant: TenantName): readonly number[] {
  const uid = uidOf(places, tenant)
  if (uid === 0) return []
  const isOwn = new RegExp(`^Uid:\\t${uid}\\t`, 'm')
  return processes().flatMap(({ pid, state }) => (state !== 'Z' && isOwn.test(statusOf(pid)) ? [pid] : []))
}

/** Again and again, because they may have children meanwhile. */
export async function endProcessesOf(find: () => readonly number[]): Promise<void> {
  let left = find()
  for (let pass = 0; left.length > 0; pass++, left = find()) {
    if (pass === mostPasses) throw new WcpError('machine_failed', `Cannot end ${left.length} processes of the tenant`)
    for (const pid of left) signal(pid, 'SIGKILL')
    await sleep(5)
  }
}

function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8')
  } catch {
    return '' // it has ended
  }
}
