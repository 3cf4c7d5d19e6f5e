/** Cron jobs of tenants: commands that are run at times. */
import { z } from 'zod'
import { TenantCommand } from '../../contract/tenant-command.ts'
import { Id } from '../../contract/values.ts'
import { DomainName } from '../../lib/domain-name.ts'
import { Accepted, Done } from '../answers.ts'
import { type Context, defineOperation } from '../context.ts'
import type { Domain } from '../domain/schema.ts'
import { deletedInput, Flag, listInput, pageOf, searchInput } from '../listing.ts'
import { demandFeature } from '../package/features.ts'
import { badInput, conflict } from '../refusals.ts'
import { mayChange } from '../status-guard.ts'
import { TenantRef } from '../tenant/schema.ts'
import { scopeOf, visibleTenant } from '../visibility.ts'
import { Environment, wordsOfRun } from './command.ts'
import { nextDue } from './due.ts'
import { beginRun } from './run.ts'
import { Cron, CronName, CronRef, IfMissed, Jitter, Run, Schedule, Seconds, TimeZone } from './schema.ts'

const DomainRef = z
  .union([Id, DomainName], { error: 'the id or the name of a domain' })
  .describe('Domain in whose directory it is run, by id or name')
const target = { cron: CronRef }
const policy = { scopes: ['global', 'reseller', 'local'], holders: ['customer', 'reseller'] } as const
/** Of a tenant, also those that are switched off. */
const most = 100

/** Of a form: made when it is first asked for. */
const wishes = () => ({
  name: CronName.describe('What it is called here'),
  schedule: Schedule.describe(
    'When it is run: five fields as in a crontab, such as "*/15 * * * *", or systemd’s calendar, such as "Mon..Fri 04:30"',
  ),
  command: TenantCommand.describe('Program and arguments, each a word of its own'),
  timeZone: TimeZone.describe('Time zone of the schedule'),
  environment: Environment.describe('Variables such as APP_ENV=production; do not put secrets here'),
  seconds: Seconds.describe('After so long a run is ended'),
  jitterSeconds: Jitter.describe(
    'At most so long its runs come after their time, by the same each, so that not all begin at once',
  ),
  ifMissed: IfMissed.describe(
    'What becomes of times at which the panel was not running: skip, or once for one run afterwards',
  ),
})

export const list = defineOperation({
  name: 'cron.list',
  summary: 'List cron jobs',
  effect: 'read',
  policy,
  http: 'GET /cron-jobs',
  positional: [],
  columns: ['id', 'name', 'fqdn', 'schedule', 'nextAt', 'lastOutcome'],
  input: () =>
    z.strictObject({
      tenant: TenantRef.optional().describe('Cron jobs of this tenant only'),
      domain: DomainRef.optional().describe('Cron jobs of this domain only'),
      ...searchInput,
      ...deletedInput,
      ...listInput,
    }),
  output: () => pageOf(Cron),
  async run(context, { tenant, domain, ...query }) {
    const tenantId = tenant === undefined ? undefined : (await visibleTenant(context, tenant)).id
    const domainId = domain === undefined ? undefined : (await visibleDomain(context, domain)).id
    return context.crons.list({ ...query, tenantId, domainId, scope: scopeOf(context.actor) })
  },
})

export const get = defineOperation({
  name: 'cron.get',
  summary: 'Show a cron job',
  effect: 'read',
  policy,
  http: 'GET /cron-jobs/{cron}',
  positional: ['cron'],
  input: () => z.strictObject(target),
  output: () => Cron,
  run: livingOrTrashed,
})

export const create = defineOperation({
  name: 'cron.create',
  summary: 'Run a command as the tenant at times',
  description:
    'It runs as "domain.run" has it: without a shell, in the sandbox of the site’s PHP, within the limits of the tenant. While a run goes on no other one of the same job begins. A time that does not exist on the day on which the clocks go forward is made good when the gap is over; one that comes twice counts once, unless the schedule is for every hour.',
  effect: 'write',
  policy,
  http: 'POST /cron-jobs',
  positional: ['domain', 'schedule', 'command'],
  input() {
    const { name, schedule, command, timeZone, environment, seconds, jitterSeconds, ifMissed } = wishes()
    return z.strictObject({
      domain: DomainRef,
      name,
      schedule,
      command,
      timeZone: timeZone.default('UTC'),
      environment: environment.default([]),
      seconds: seconds.default(600),
      jitterSeconds: jitterSeconds.default(0),
      ifMissed: ifMissed.default('skip'),
    })
  },
  output: () => Done,
  async run(context, { domain: ref, ...given }) {
    const what = `create cron job "${given.name}"`
    const { id: domainId, tenantId } = await usableDomain(context, what, await visibleDomain(context, ref))
    await demandCron(context, what, tenantId)
    await refuseOverLimit(context, what, tenantId)
    const id = context.newId()
    const wanted = { id, ...given, isEnabled: true }
    await context.crons.insert({ ...wanted, tenantId, domainId, nextAt: planned(context, what, wanted) })
    return { id }
  },
})

export const update = defineOperation({
  name: 'cron.update',
  summary: 'Change a cron job, or switch it on or off',
  description: 'A run that goes on is not changed by it.',
  effect: 'write',
  policy,
  http: 'PATCH /cron-jobs/{cron}',
  positional: ['cron'],
  input: () =>
    z.strictObject({
      ...target,
      ...z.strictObject(wishes()).partial().shape,
      isEnabled: Flag.optional().describe('Whether it is run by itself'),
    }),
  output: () => Done,
  async run(context, { cron, ...given }) {
    const one = await context.crons.get(cron, { scope: scopeOf(context.actor) })
    const wanted = { ...one, ...defined(given) }
    const what = `update cron job "${one.name}"`
    if (!one.isEnabled && wanted.isEnabled) await demandCron(context, what, one.tenantId)
    const nextAt = planned(context, what, wanted)
    await context.crons.update(one.id, { ...wanted, nextAt })
    return { id: one.id }
  },
})

export const remove = defineOperation({
  name: 'cron.delete',
  summary: 'Move a cron job to the trash: it is not run any more',
  effect: 'write',
  policy,
  stepUp: true,
  http: 'DELETE /cron-jobs/{cron}',
  positional: ['cron'],
  confirm: 'Move this cron job to the trash? It can be restored within 30 days; a run that goes on is not ended.',
  input: () => z.strictObject(target),
  output: () => Done,
  async run(context, { cron }) {
    const { id } = await context.crons.get(cron, { scope: scopeOf(context.actor) })
    await context.crons.trash(id)
    return { id }
  },
})

export const restore = defineOperation({
  name: 'cron.restore',
  summary: 'Bring a cron job back from the trash',
  effect: 'write',
  policy,
  http: 'POST /cron-jobs/{cron}/restore',
  positional: ['cron'],
  input: () => z.strictObject(target),
  output: () => Done,
  async run(context, { cron }) {
    const one = await context.crons.get(cron, { scope: scopeOf(context.actor), deleted: true })
    const what = `restore cron job "${one.name}"`
    await usableDomain(context, what, await visibleDomain(context, one.domainId))
    await demandCron(context, what, one.tenantId)
    await refuseOverLimit(context, what, one.tenantId)
    await context.crons.restore(one.id, planned(context, what, one))
    return { id: one.id }
  },
})

export const run = defineOperation({
  name: 'cron.run',
  summary: 'Run a cron job now',
  description: 'Whether it is switched on or off; its next time stays. "job.output" has what it prints.',
  effect: 'machine',
  policy,
  http: 'POST /cron-jobs/{cron}/run',
  positional: ['cron'],
  input: () => z.strictObject(target),
  output: () => Accepted,
  async run(context, { cron }) {
    const one = await context.crons.get(cron, { scope: scopeOf(context.actor) })
    const what = `run cron job "${one.name}"`
    const domain = await visibleDomain(context, one.domainId)
    await mayChange(context, { kind: 'domain', row: domain, name: domain.fqdn, verb: 'run' })
    await demandCron(context, what, one.tenantId)
    if (await context.cronRuns.isBusy(one.id))
      conflict(what, 'a run of it goes on', 'Wait until it has ended, or end it: its job can be stopped.')
    const jobId = await beginRun(context, one, { id: context.newId(), dueAt: context.now, isByHand: true })
    return { id: one.id, jobId }
  },
})

export const runs = defineOperation({
  name: 'cron.runs',
  summary: 'List the runs of a cron job, the newest first',
  description: 'The newest 100 are kept, and the jobs that they are.',
  effect: 'read',
  policy,
  http: 'GET /cron-jobs/{cron}/runs',
  positional: ['cron'],
  columns: ['id', 'dueAt', 'outcome', 'milliseconds', 'exitCode', 'problem'],
  input: () => z.strictObject({ ...target, ...listInput }),
  output: () => pageOf(Run),
  async run(context, { cron, ...query }) {
    const { id: cronId } = await livingOrTrashed(context, { cron })
    return context.cronRuns.list({ ...query, cronId })
  },
})

/** Its next time, once the whole of it is known to be possible. */
function planned(
  { now }: Pick<Context, 'now'>,
  what: string,
  cron: Pick<Cron, 'id' | 'schedule' | 'timeZone' | 'jitterSeconds' | 'command' | 'environment' | 'isEnabled'>,
): string | null {
  const { error } = wordsOfRun(cron.command, cron.environment)
  if (error !== undefined) {
    const problem = 'is too long together with the command'
    badInput(what, { field: 'environment', problem, accepted: String(error.issues[0]?.message) })
  }
  const next = nextDue(cron, Date.parse(now))
  if (next === undefined)
    badInput(what, {
      field: 'schedule',
      problem: 'never comes',
      accepted: 'a schedule with a time in the next 40 years',
    })
  return cron.isEnabled ? new Date(next).toISOString() : null
}

function visibleDomain(context: Context, ref: string): Promise<Domain> {
  return context.domains.get(ref, { scope: scopeOf(context.actor) })
}

/** A site that is there, served or not. */
async function usableDomain(context: Context, what: string, domain: Domain): Promise<Domain> {
  await context.tenants.lock(domain.tenantId)
  if (!['pending', 'active', 'suspended', 'deploying'].includes(domain.status))
    conflict(what, `domain "${domain.fqdn}" is ${domain.status}`, 'Bring the domain in order first.')
  return domain
}

async function demandCron(context: Context, what: string, tenant: Id): Promise<void> {
  await demandFeature(context, what, await context.tenants.get(tenant), 'cron')
}

async function refuseOverLimit(context: Context, what: string, tenantId: Id): Promise<void> {
  if ((await context.crons.countOf(tenantId)) >= most)
    conflict(what, `its tenant has ${most} cron jobs already`, 'Delete one that is not needed any more.')
}

async function livingOrTrashed(context: Context, { cron }: { readonly cron: Id }): Promise<Cron> {
  const scope = scopeOf(context.actor)
  return (await context.crons.find(cron, { scope })) ?? (await context.crons.get(cron, { scope, deleted: true }))
}

function defined<T extends object>(given: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>
  }
}
