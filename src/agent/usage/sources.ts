/** The sources of usage on the root side, by the words of the contract. */
import type { UsageSource } from '../../contract/usage.ts'
import type { Machine } from '../os/machine.ts'
import { databaseSizes } from './database-sizes.ts'
import { diskByChild } from './disk-child.ts'
import type { MeasuredTenant } from './measured-tenant.ts'
import { trafficCounters } from './traffic.ts'

type Asked = Pick<Machine, 'places' | 'databases'>
type Source = (machine: Asked, tenants: readonly MeasuredTenant[], signal: AbortSignal) => Promise<readonly unknown[]>

export const measureUsage: Readonly<Record<UsageSource, Source>> = {
  disk: ({ places }, tenants, signal) => diskByChild(places, tenants, signal),
  traffic: ({ places }, tenants) => trafficCounters(places, tenants),
  databases: databaseSizes,
}
