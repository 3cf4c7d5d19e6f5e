/** The sources of usage on the root side, by the words of the contract. */
import type { UsageSource } from '../../contract/usage.ts'
import type { Layout } from '../os/layout.ts'
import { diskByChild } from './disk-child.ts'
import type { MeasuredTenant } from './measured-tenant.ts'
import { trafficCounters } from './traffic.ts'

type Source = (places: Layout, tenants: readonly MeasuredTenant[], signal: AbortSignal) => Promise<readonly unknown[]>

export const measureUsage: Readonly<Record<UsageSource, Source>> = { disk: diskByChild, traffic: trafficCounters }
