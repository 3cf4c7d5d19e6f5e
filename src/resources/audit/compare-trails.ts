/** The panel's trail against the root side's copy of it. */
import { asWcpError, WcpError } from '../../contract/errors.ts'
import type { Context } from '../context.ts'
import type { AuditVerdict } from './schema.ts'
import type { AuditStore } from './store.ts'

type Noted = Parameters<AuditStore['verify']>[0]

interface Sides {
  readonly audit: Pick<AuditStore, 'verify'>
  readonly machine: Pick<Context['machine'], 'audit'>
}

export async function compareTrails({ audit, machine }: Sides, noted: Noted): Promise<AuditVerdict> {
  const asked = await machine.audit().catch(asWcpError)
  if (asked instanceof WcpError) return { ...(await audit.verify(noted)), mirror: null, mirrorProblem: asked.message }
  const { checkpoints, ...mirror } = asked
  const copied = checkpoints.map((entry) => ({ ...entry, keeper: "the root side's copy" }))
  const chain = await audit.verify([...noted, ...copied])
  return { ...chain, ok: chain.ok && mirror.ok, mirror, mirrorProblem: null }
}
