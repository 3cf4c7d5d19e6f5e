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
    .filter(({ account }) => account === null)
    .map(({ id }) => ({ tenant: id, bytes: null, isWhole: true }))
  const here = tenants.flatMap(({ id, account }) => (account === null ? [] : [{ id, ...account }]))
  if (here.length === 0) return strangers
  const idOf = new Map(here.map(({ id, name }) => [String(name), id]))
  const limits = { timeoutMs: longestMs + graceMs, outputLimit: 256 * 1024, signal }
  const words = here.map(({ name, uid }) => `${name}:${uid}`)
  const told = await askRole('disk-usage', [root, ...words], { what: 'measure disk space', ...limits })
  const measured = Told.parse(told).flatMap(({ name, ...size }) => {
    const tenant = idOf.get(name)
    return tenant === undefined ? [] : [{ tenant, ...size }]
  })
  return [...strangers, ...measured]
}
