/**
 * Suspending a tenant with the daemon down: the panel's store gets the job as if the panel had queued it, the engine runs
 * it, the store gets its end. A store that cannot be opened does not stop the machine's part.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import { WcpError } from '../../contract/errors.ts'
import type { RescueReport, RescueRequest, RescueStep } from '../../contract/rescue.ts'
import { Id, TenantName } from '../../contract/values.ts'
import type { AgentMessage } from '../../contract/wire.ts'
import { jobContracts } from '../../resources/jobs.ts'
import type { Engine } from '../jobs/engine-api.ts'
import { Registry, type TenantRecord } from '../jobs/registry.ts'
import { type Conversation, type Rescue, withDatabase, withEngine } from './machine.ts'
import { errorOf, HalfDone, reasonOf, startAgain } from './report.ts'
import { askStore } from './store.ts'

type Request = Extract<RescueRequest, { do: 'suspend' | 'unsuspend' }>
type Finished = Extract<AgentMessage, { t: 'finished' }>

interface Queued {
  readonly job: Id
  readonly token: number
  /** Why the panel's store knows nothing of it; null when it does. */
  readonly storeTrouble: string | null
  readonly did: readonly string[]
}

export async function rescueTenant(rescue: Rescue, request: Request): Promise<RescueReport> {
  const { tenant, seen } = await withDatabase(rescue, (database) => {
    const found = tenantIn(new Registry(database), request.tenant)
    const fence = database.prepare('select token from fences where resource = ?').get(found.id)
    return { tenant: found, seen: z.object({ token: z.int() }).optional().parse(fence)?.token ?? 0 }
  })
  if (seen >= Number.MAX_SAFE_INTEGER) throw outOfTokens(tenant.name)
  return withEngine(rescue, async (engine, said) => {
    await engine.recover()
    engine.hello()
    const queued = await queue(rescue, { request, tenant, seen }, engine, said)
    const { end, steps } = await runThrough(engine, said, { queued, tenant, verb: request.do })
    const trouble = queued.storeTrouble ?? (await tellStore(rescue, engine, end, steps))
    const report: RescueReport = {
      did: [...queued.did, ...(end.failure === null ? [done[request.do](tenant.name)] : [])],
      next: [...(trouble === null ? [] : outOfStep(trouble, tenant, request)), startAgain],
      steps,
    }
    if (end.failure !== null) throw new HalfDone(report, errorOf(end.failure))
    return report
  })
}

const done: Record<Request['do'], (name: string) => string> = {
  suspend: (name) => `The tenant "${name}" is suspended: its sites show the page for that, its processes are stopped.`,
  unsuspend: (name) => `The tenant "${name}" is open again: its PHP starts with the next request.`,
}

function outOfStep(trouble: string, tenant: TenantRecord, request: Request): string[] {
  return [
    `The panel does not know of this yet (${trouble}). It shows "${tenant.name}" as it was before.`,
    `Once its store works, send "wcp tenant ${request.do} ${tenant.name}", again if the first is refused as stale.`,
  ]
}

function tenantIn(registry: Registry, ref: string): TenantRecord {
  const name = TenantName.safeParse(ref)
  const id = Id.safeParse(ref)
  const tenant = (name.success && registry.tenantNamed(name.data)) || (id.success && registry.tenant(id.data))
  if (tenant) return tenant
  const names = registry.tenants().map((one) => one.name)
  const some = names.length > 20 ? [...names.slice(0, 20), '...'] : names
  throw new WcpError('not_found', `Cannot find tenant "${ref}" on this machine`, {
    help: names.length === 0 ? 'There are no tenants here.' : `There are: ${some.join(', ')}.`,
  })
}

interface Wish {
  readonly request: Request
  readonly tenant: TenantRecord
  readonly seen: number
}

async function queue(
  rescue: Rescue,
  { request, tenant, seen }: Wish,
  engine: Engine,
  said: Conversation,
): Promise<Queued> {
  const ends = said.of('finished').map(({ job, token, failure }) => ({ job, token, failure }))
  try {
    const wish = { do: 'begin', verb: request.do, tenant: tenant.id, seen, ends } as const
    const { job, token, dropped } = await askStore(rescue, wish, 'begin')
    for (const end of ends) engine.handle({ t: 'ack', job: end.job })
    const did = dropped.map((one) => `The waiting job ${one} was given up.`)
    return { job, token, storeTrouble: null, did }
  } catch (error) {
    return { job: Id.parse(randomUUID()), token: seen + 1, storeTrouble: reasonOf(error), did: [] }
  }
}

/** The job by the ordinary way: fence, journal, steps. */
async function runThrough(
  engine: Engine,
  said: Conversation,
  { queued: { job, token }, tenant, verb }: { queued: Queued; tenant: TenantRecord; verb: Request['do'] },
): Promise<{ end: Finished; steps: RescueStep[] }> {
  const contract = jobContracts[`tenant.${verb}`]
  const from = { epoch: said.of('hello')[0]?.epoch ?? 0, staff: true, reseller: null }
  const message = { t: 'job', job, type: contract.type, token, ...from, payload: { tenant: tenant.id } }
  if (engine.handle(message) === 'close') throw outOfTokens(tenant.name)
  const late = new AbortController()
  const end = await Promise.race([
    said.first('finished', (message) => message.job === job),
    pause(contract.timeoutSeconds * 1000, undefined, { signal: late.signal }),
  ])
  late.abort()
  if (end === undefined) {
    throw new WcpError('machine_failed', `Cannot wait longer for job ${job}`, {
      help: 'Look at it with "wcp emergency jobs", and settle it with "wcp emergency settle".',
    })
  }
  return { end, steps: stepsOf(said, job) }
}

function outOfTokens(name: string): WcpError {
  return new WcpError('machine_failed', `Cannot begin: there is no token above the last one of "${name}"`, {
    help: 'Have tokens counted anew with "wcp emergency fences", and give the command again.',
  })
}

/** The last word on each. */
function stepsOf(said: Conversation, job: Id): RescueStep[] {
  const steps = new Map<number, RescueStep>()
  for (const { job: of, index, name, state, note } of said.of('step')) {
    if (of === job) steps.set(index, { name, state, note })
  }
  return [...steps.entries()].sort(([one], [other]) => one - other).map(([, step]) => step)
}

/** @returns why the panel will be told later; null when it knows. */
async function tellStore(rescue: Rescue, engine: Engine, end: Finished, steps: RescueStep[]): Promise<string | null> {
  try {
    const { job, token, failure } = end
    await askStore(rescue, { do: 'end', end: { job, token, failure }, steps }, 'end')
    engine.handle({ t: 'ack', job })
    return null
  } catch (error) {
    return `${reasonOf(error)}; the daemon tells it at its next start`
  }
}
