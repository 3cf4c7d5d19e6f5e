/**
 * Why tenants and domains are suspended, and on whose word. Those that are suspended already get a hold of the level of who
 * had asked for it, as far as their last job tells, else of staff. Never edit: add a migration.
 */
import { index, type Migration, table } from './migration.ts'

export const holds: Migration = {
  number: 18,
  name: 'holds',
  statements: (words) => {
    const { id } = words
    return [
      table(
        words,
        'holds',
        {
          tenant_id: `${id} references tenants (id) on delete cascade`,
          domain_id: `${id} references domains (id) on delete cascade`,
          level: "text not null check (level in ('customer', 'reseller', 'staff', 'root'))",
          reason: 'text not null',
          note: 'text not null',
          actor: 'text not null',
          actor_id: id,
        },
        ['check ((tenant_id is null) <> (domain_id is null))'],
      ),
      index('holds', 'tenant_id, level, reason', { unique: true, where: 'tenant_id is not null' }),
      index('holds', 'domain_id, level, reason', { unique: true, where: 'domain_id is not null' }),
      held('tenant', 'null, held.id'),
      held('domain', 'held.id, null'),
    ]
  },
}

/** `domain_id, tenant_id` of the hold; its id is that of the thing. */
function held(kind: 'tenant' | 'domain', about: string): string {
  return (
    'insert into holds (id, created_at, updated_at, domain_id, tenant_id, level, reason, note, actor, actor_id) ' +
    `select held.id, coalesce(jobs.finished_at, held.updated_at), held.updated_at, ${about}, ${level}, 'other', '', ` +
    "coalesce(jobs.actor, 'panel'), jobs.actor_id " +
    `from ${kind}s held left join jobs on jobs.id = (${lastJob(`${kind}.suspend`)}) ` +
    `where ${suspended(kind)}`
  )
}

const level =
  "case when jobs.actor = 'root' then 'root' " +
  "when exists (select 1 from users where users.id = jobs.actor_id and users.tenant_id is not null) then 'customer' " +
  "when exists (select 1 from resellers where resellers.user_id = jobs.actor_id) then 'reseller' else 'staff' end"

function lastJob(type: string, column = 'last.id'): string {
  return (
    `select ${column} from jobs last where last.resource_id = held.id and last.type = '${type}' ` +
    "and last.state <> 'failed' and last.state <> 'cancelled' order by last.sequence desc limit 1"
  )
}

/** Now, or before a job that is under way or has led into the trash. */
function suspended(kind: 'tenant' | 'domain'): string {
  const active = "active.state in ('queued', 'running', 'stalled')"
  const before = `active.previous_status = 'suspended' and active.type <> '${kind}.unsuspend'`
  return [
    "held.status = 'suspended'",
    ...(kind === 'domain' ? ["held.status_before_tenant = 'suspended'"] : []),
    `held.status = 'deleted' and (${lastJob(`${kind}.delete`, 'last.previous_status')}) = 'suspended'`,
    `exists (select 1 from jobs active where active.resource_id = held.id and ${active} and ${before})`,
  ].join(' or ')
}
