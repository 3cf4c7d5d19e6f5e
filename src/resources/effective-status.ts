/** The status of what belongs to a tenant, as it is in effect: with a tenant that is closed it is closed. */
import { type Badge, statusBadge } from '../lib/page-model.ts'
import type { Texts } from '../lib/texts.ts'

export interface OfTenant {
  readonly status: string
  readonly tenantName: string | null
  readonly tenantStatus: string | null
  readonly deletedAt: string | null
}

export function isClosedWithTenant({ status, tenantStatus, deletedAt }: OfTenant): boolean {
  return status === 'active' && deletedAt === null && (tenantStatus === 'suspended' || tenantStatus === 'locked')
}

/** `suspended with acme` */
export function effectiveBadge(t: Texts, one: OfTenant): Badge {
  if (!isClosedWithTenant(one)) return statusBadge(one.status, t.statuses)
  const words: Readonly<Record<string, string>> = t.closedWith
  return { text: `${words[one.tenantStatus ?? ''] ?? ''} ${one.tenantName ?? ''}`, tone: 'idle' }
}
