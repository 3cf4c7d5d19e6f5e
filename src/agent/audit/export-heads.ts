/**
 * Where the audit log ends, told to what root of this machine does not hold alone: the journal, and by the panel whatever
 * the configuration names. Who cuts the log's end later contradicts what was told.
 */
import type { Engine } from '../jobs/engine-api.ts'
import type { Log } from '../log.ts'
import type { AuditTrail } from './audit-trail.ts'

const everyMs = 600_000

export function exportHeads({
  audit,
  engine,
  log,
}: {
  readonly audit: AuditTrail
  readonly engine: Pick<Engine, 'tellAudit'>
  readonly log: Log
}): { close(): void } {
  let told = 0
  const tell = () => {
    if (!audit.isOpen) return
    const head = audit.head()
    if (head.seq === told) return
    told = head.seq
    log.info({ ...head }, 'audit head')
    engine.tellAudit()
  }
  tell()
  const timer = setInterval(tell, everyMs)
  return {
    close() {
      clearInterval(timer)
      tell()
    },
  }
}
