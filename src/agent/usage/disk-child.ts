/** Has the disk space of tenants measured by a process of its own (`disk-main.ts`). */
import { z } from 'zod'
import type { DiskUsage } from '../../contract/usage.ts'
import type { Layout } from '../os/layout.ts'
import { askRole } from '../os/self-command.ts'
import { longestMs } from './disk-main.ts'
import type { MeasuredTenant } from './measured-tenant.ts'

/** For the start of the process, and for one directory that takes its time. */
const graceMs = 60_000

const Told = z.array(z.strictObject({ name: z.string(), bytes: z.number().min(0), isWhole: z.boolean() }))

export async function diskByChild(
  { root }: Layout,
  tenants: readonly MeasuredTenant[],
  signal: AbortSignal,
): Promise<DiskUsage> {
  const strangers = tenants
    .filter(({ name }) => name === null)
    .map(({ id }) => ({ tenant: id, bytes: null, isWhole: true }))
  const idOf = new Map(tenants.flatMap(({ id, name }) => (name === null ? [] : [[String(name), id] as const])))
  if (idOf.size === 0) return strangers
  const limits = { timeoutMs: longestMs + graceMs, outputLimit: 256 * 1024, signal }
  const told = await askRole('disk-usage', [root, ...idOf.keys()], { what: 'measure disk space', ...limits })
  const measured = Told.parse(told).flatMap(({ name, ...size }) => {
    const tenant = idOf.get(name)
    return tenant === undefined ? [] : [{ tenant, ...size }]
  })
  return [...strangers, ...measured]
}
