/** The configuration of one tenant's PHP-FPM master, and the numbers in it. */
import { maxBodyMb, maxRequestSeconds } from '../../contract/request-bounds.ts'
import type { TenantLimits, TenantName } from '../../contract/values.ts'
import type { Layout } from '../os/layout.ts'
import { renderSystem } from './render.ts'

/** Text of `layout.web.fpmConfig(tenant)`; root-owned, readable by the tenant. */
export function renderFpmConfig(places: Layout, tenant: { name: TenantName; limits: TenantLimits }): string {
  return renderSystem('php-fpm/tenant.conf.eta', {
    tenant: tenant.name,
    socket: places.fpmSocket(tenant.name),
    home: places.customers.home(tenant.name),
    maxChildren: maxChildren(tenant.limits),
    maxSpare: Math.min(maxSpare, maxChildren(tenant.limits)),
    memoryLimitMb: memoryLimitMb(tenant.limits),
    maxRequestSeconds,
    maxBodyMb,
  })
}

/** Idle workers above this are ended, one a second. */
const maxSpare = 4

/** Most workers exist only during a rush, which this bounds: about 48 MB each and a third of the processes, 2 to 40. */
export function maxChildren({ memMb, pids }: TenantLimits): number {
  const byMemory = memMb === null ? 20 : Math.floor(memMb / 48)
  const byProcesses = pids === null ? 40 : Math.floor(pids / 3)
  return Math.max(2, Math.min(byMemory, byProcesses, 40))
}

/** PHP's own limit for one request: half of the tenant's memory, 64 to 512 MB. */
export function memoryLimitMb({ memMb }: TenantLimits): number {
  return memMb === null ? 256 : Math.max(64, Math.min(512, Math.floor(memMb / 2)))
}
