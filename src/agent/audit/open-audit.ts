/** The audit log of this machine: its key, its place, and what is done when it cannot be opened. */
import { randomBytes } from 'node:crypto'
import { WcpError } from '../../contract/errors.ts'
import type { Log } from '../log.ts'
import type { Files } from '../os/files.ts'
import type { Layout } from '../os/layout.ts'
import { type AuditTrail, brokenAuditTrail, openAuditTrail } from './audit-trail.ts'

/** Append-only on a server; a tree below another root must remain easy to remove. */
export async function auditTrailOf(places: Layout, files: Files, log: Log): Promise<AuditTrail> {
  try {
    return openAuditTrail({
      path: places.auditLog,
      headPath: places.auditHead,
      key: await auditKey(places, files),
      appendOnly: places.root === '/',
      now: () => new Date(),
      log,
    })
  } catch (error) {
    log.error({ err: error }, 'audit log cannot be opened, no job will be accepted')
    return brokenAuditTrail(error instanceof Error ? error.message : 'it cannot be opened', log)
  }
}

async function auditKey(places: Layout, files: Files): Promise<Uint8Array> {
  if (!files.existsNow(places.auditKey)) {
    await files.writeFile(places.auditKey, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600, uid: 0, gid: 0 })
  }
  return readAuditKey(places, files)
}

/** Throws where there is none. */
export async function readAuditKey({ auditKey: path }: Layout, files: Files): Promise<Uint8Array> {
  const text = (await files.readText(path))?.trim() ?? ''
  if (!/^[0-9a-f]{64}$/.test(text)) throw new WcpError('unavailable', `Cannot use "${path}": expected 64 digits`)
  return Buffer.from(text, 'hex')
}
