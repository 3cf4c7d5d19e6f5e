/** An audit trail that is not whole, or of which the root side tells otherwise. */
import { setTimeout as pause } from 'node:timers/promises'
import type { ConditionSource } from '../condition-source.ts'
import { compareTrails } from './compare-trails.ts'
import type { AuditStore } from './store.ts'

/** The whole chain is computed anew. */
const dayMs = 86_400_000
/** After each part, which takes a third of that: nobody waits for the verdict, and people wait for their pages. */
const restMs = 4

export const auditTrouble: ConditionSource = {
  name: 'audit',
  everyMs: dayMs,
  async find({ stores, machine }) {
    const { ok, problems, mirror } = await compareTrails({ audit: { verify: unhurried(stores.audit) }, machine }, [])
    if (ok) return []
    const said = [...problems, ...(mirror?.problems ?? [])].map(({ message }) => message)
    const title = 'The audit trail is not whole'
    return [
      { subject: 'trail', severity: 'critical', title, detail: said.slice(0, 5).join('; '), page: '/audit/verify' },
    ]
  },
}

function unhurried(audit: AuditStore): AuditStore['verify'] {
  return (anchors) => audit.verify(anchors, () => pause(restMs))
}
