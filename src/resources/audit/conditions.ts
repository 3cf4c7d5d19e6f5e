/** An audit trail that is not whole, or of which the root side tells otherwise. */
import type { ConditionSource } from '../condition-source.ts'
import { compareTrails } from './compare-trails.ts'

/** The whole chain is computed anew. */
const dayMs = 86_400_000

export const auditTrouble: ConditionSource = {
  name: 'audit',
  everyMs: dayMs,
  async find({ stores, machine }) {
    const { ok, problems, mirror } = await compareTrails({ audit: stores.audit, machine }, [])
    if (ok) return []
    const said = [...problems, ...(mirror?.problems ?? [])].map(({ message }) => message)
    const title = 'The audit trail is not whole'
    return [
      { subject: 'trail', severity: 'critical', title, detail: said.slice(0, 5).join('; '), page: '/audit/verify' },
    ]
  },
}
