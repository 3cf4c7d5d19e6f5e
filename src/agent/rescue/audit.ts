/** The audit log as root finds it on the disk: no word of the panel's, and none of a daemon that runs. */
import { WcpError } from '../../contract/errors.ts'
import type { RescueReport } from '../../contract/rescue.ts'
import type { AuditHead } from '../../contract/wire.ts'
import { readAuditKey } from '../audit/open-audit.ts'
import { verifyAuditLog } from '../audit/verify-audit-log.ts'
import { createFiles } from '../os/files.ts'
import type { Layout } from '../os/layout.ts'
import { HalfDone } from './report.ts'

/** @param head one that was kept elsewhere: the log must still hold it. Throws `HalfDone` when the log is not whole. */
export async function checkAudit(places: Layout, head: AuditHead | null): Promise<RescueReport> {
  const key = await readAuditKey(places, createFiles({ root: places.root, owner: 0 }))
  const paths = { path: places.auditLog, headPath: places.auditHead, key }
  const { ok, lines, from, end, last, problems } = await verifyAuditLog(paths, head)
  const report: RescueReport = {
    did: [
      `Read ${lines} lines, from line ${from} to line ${last}; the panel's trail is in it up to entry ${end.sequence}.`,
      ok ? 'The log is whole.' : 'The log is NOT whole:',
      ...problems.map(({ message }) => message),
    ],
    next: ok ? [] : ['Keep the files as they are, and compare them with the heads in the journal and elsewhere.'],
  }
  if (ok) return report
  throw new HalfDone(report, new WcpError('machine_failed', 'Cannot confirm the audit log', { help: helpText }))
}

const helpText = 'Each sentence above says which line is concerned.'
