/** The tables of cron jobs and of their runs. */
import { index, type Migration, table } from '../../store/migrations/migration.ts'
import type { Bit, CommonColumns, JsonText, OwnedColumns } from '../../store/tables/common.ts'

export interface CronTable extends OwnedColumns {
  domain_id: string
  name: string
  schedule: string
  time_zone: string
  command: JsonText
  environment: JsonText
  seconds: number
  jitter_seconds: number
  if_missed: string
  is_enabled: Bit
  next_at: string | null
  last_ended_at: string | null
  last_outcome: string | null
  last_problem: string | null
  failing_since: string | null
  missed_at: string | null
}

export interface CronRunTable extends CommonColumns {
  cron_id: string
  due_at: string
  is_by_hand: Bit
  outcome: string
  started_at: string | null
  ended_at: string | null
  exit_code: number | null
  problem: string | null
}

declare module '../../store/database.ts' {
  interface Database {
    cron_jobs: CronTable
    cron_runs: CronRunTable
  }
}

/** The table of the first schema was never written to. */
export const cronJobs: Migration = {
  number: 38,
  name: 'cron',
  statements: (words) => [
    'drop table cron_jobs',
    table(words, 'cron_jobs', {
      tenant_id: `${words.id} not null references tenants (id) on delete cascade`,
      domain_id: `${words.id} not null references domains (id) on delete cascade`,
      name: `${words.name} not null`,
      schedule: 'text not null',
      time_zone: 'text not null',
      command: `${words.json} not null`,
      environment: `${words.json} not null`,
      seconds: `${words.int} not null`,
      jitter_seconds: `${words.int} not null`,
      if_missed: 'text not null',
      is_enabled: `${words.int} not null`,
      next_at: words.time,
      last_ended_at: words.time,
      last_outcome: 'text',
      last_problem: 'text',
      failing_since: words.time,
      missed_at: words.time,
      status: 'text not null',
      version: `${words.int} not null`,
      status_before_tenant: 'text',
    }),
    index('cron_jobs', 'name, id'),
    index('cron_jobs', 'tenant_id'),
    index('cron_jobs', 'domain_id'),
    index('cron_jobs', 'next_at', { where: 'is_enabled = 1 and deleted_at is null' }),
    index('cron_jobs', 'failing_since', { where: 'failing_since is not null' }),
    index('cron_jobs', 'missed_at', { where: 'missed_at is not null' }),
    index('cron_jobs', 'deleted_at', { where: 'deleted_at is not null' }),
    table(words, 'cron_runs', {
      cron_id: `${words.id} not null references cron_jobs (id) on delete cascade`,
      due_at: `${words.time} not null`,
      is_by_hand: `${words.int} not null`,
      outcome: 'text not null',
      started_at: words.time,
      ended_at: words.time,
      exit_code: words.int,
      problem: 'text',
    }),
    index('cron_runs', 'cron_id, created_at, id'),
    index('cron_runs', 'due_at', { where: "outcome in ('waiting', 'running')" }),
    index('cron_runs', 'cron_id', { where: "outcome in ('waiting', 'running')" }),
  ],
}
