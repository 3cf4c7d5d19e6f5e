/** The panel's half of an emergency suspension: the job as the panel itself would have queued it, and its end. */
import { WcpError } from '../../contract/errors.ts'
import { activeJobStates } from '../../contract/job.ts'
import type { StoreAnswer, StoreRequest } from '../../contract/rescue.ts'
import { Id } from '../../contract/values.ts'
import type { Failure } from '../../contract/wire.ts'
import { jobContracts } from '../../resources/jobs.ts'
import type { Stores } from '../../resources/stores.ts'
import type { Db } from '../../store/database.ts'
import { newId } from '../../store/new-id.ts'
import { record } from './record.ts'
import type { OpenStore } from './store.ts'

type Begin = Extract<StoreRequest, { do: 'begin' }>
type End = Extract<StoreRequest, { do: 'end' }>

/**
 * Row, job and audit entry in one transaction. Should nothing more come of it, the panel finds the job queued at its next
 * start and goes on with it as with any other.
 */
export function beginTenantJob({ change, now }: OpenStore, request: Begin): Promise<StoreAnswer> {
  const { verb, tenant, seen, ends } = request
  return change(async (stores, tx) => {
    const { name } = await stores.tenants.get(tenant)
    for (const { job, token, failure } of ends) await stores.jobs.finished(job, token, failure)
    const dropped = await dropActive(stores, tx, tenant)
    await raiseVersion(tx, tenant, seen, now)
    const id = newId()
    const by = { id, actor: 'root', actorId: null, isStaff: true }
    const hold = () => changeHolds(stores, verb, tenant)
    const { token } = await stores.jobs.enqueue(jobContracts[`tenant.${verb}`], { tenant }, by, hold)
    await record(stores, { now, verb, tenantId: tenant, metadata: { tenant, name, job: id, dropped } })
    return { of: 'begin', job: id, token, dropped }
  })
}

/** Root is above all: its word closes beside the holds of others, and opens whatever they say. */
async function changeHolds({ holds }: Stores, verb: Begin['verb'], id: Id): Promise<void> {
  const on = { kind: 'tenant', id } as const
  if (verb === 'unsuspend') await holds.liftAll(on)
  else await holds.put(on, { level: 'root', reason: 'other', note: '', actor: 'root', actorId: null })
}

export function endTenantJob({ change }: OpenStore, { end, steps }: End): Promise<StoreAnswer> {
  return change(async ({ jobs }) => {
    await jobs.accepted(
      end.job,
      steps.map(({ name }) => name),
    )
    for (const [index, step] of steps.entries()) await jobs.step(end.job, { index, ...step })
    return { of: 'end', isStored: await jobs.finished(end.job, end.token, end.failure) }
  })
}

/** The root side has settled all it ever began, so what is still active here was never begun there. */
async function dropActive(stores: Stores, tx: Db, tenant: Id): Promise<string[]> {
  const active = await tx
    .selectFrom('jobs')
    .select(['id', 'type', 'token'])
    .where('lock_key', '=', `tenant:${tenant}`)
    .where('state', 'in', activeJobStates)
    .execute()
  for (const { id, token } of active) await stores.jobs.finished(Id.parse(id), token, overtaken)
  return active.map(({ id, type }) => `${type} (${id})`)
}

const overtakenError = new WcpError('stale', 'Cannot begin: an emergency command came before it', {
  help: 'Send the request again if it is still wanted.',
})
const { code, message, help } = overtakenError
const overtaken: Failure = { step: null, code, message, help }

/** A store that was put back from a backup may be behind the root side, which takes no token twice. */
async function raiseVersion(tx: Db, tenant: Id, seen: number, now: string): Promise<void> {
  await tx
    .updateTable('tenants')
    .set({ version: seen, updated_at: now })
    .where('id', '=', tenant)
    .where('version', '<', seen)
    .execute()
}
