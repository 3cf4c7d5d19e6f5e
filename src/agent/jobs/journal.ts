/**
 * Accepted jobs, their progress and their ends. A row is on the disk before the effect that it records.
 *
 * A job is `queued` → `running` → `succeeded`, or `running` → `undoing` → `failed`. `stuck` is a job whose undo failed
 * too: it was told to the panel as failed, and it is tried again before anything else happens to its tenant.
 */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { Id } from '../../contract/values.ts'
import { Failure } from '../../contract/wire.ts'
import { type Database, statementsOf } from '../../program/native-sqlite.ts'
import type { Json } from '../steps/step.ts'
import { GroupCommit } from './group-commit.ts'
import { isDeletion } from './registry.ts'

const JournalState = z.enum(['queued', 'running', 'undoing', 'stuck', 'succeeded', 'failed'])
const jsonText = z.string().transform((text): unknown => JSON.parse(text))

const JobRow = z.strictObject({
  seq: z.int(),
  id: Id,
  type: z.string(),
  resource: Id,
  tenant: Id,
  token: z.int(),
  payload: jsonText,
  /** The provisioner's resolution of the payload, when the job began. */
  target: jsonText.nullable(),
  /** Version of the program that began it; null before, and when the first release did. */
  began_with: z.string().nullable(),
  state: JournalState,
  failure: jsonText.pipe(Failure).nullable(),
})
export type JournaledJob = z.output<typeof JobRow>
const columns = Object.keys(JobRow.shape).join(', ')
const HashedJob = JobRow.extend({ hash: z.string() })

const CaptureRow = z.strictObject({ step: z.int(), name: z.string(), before: jsonText })
export type Capture = z.output<typeof CaptureRow>

export interface NewJob {
  readonly id: Id
  readonly type: string
  readonly resource: Id
  readonly tenant: Id
  readonly token: number
  readonly epoch: number
  /** As the panel says: staff or root asked for it, and whose tenant it is. */
  readonly staff: boolean
  readonly reseller: Id | null
  readonly payload: unknown
}

export type Acceptance =
  | { readonly verdict: 'accepted'; readonly job: JournaledJob }
  /** The same job was accepted before; `job` is how it stands now. */
  | { readonly verdict: 'known'; readonly job: JournaledJob }
  /** Something newer was accepted for the resource, or the job is of another epoch. */
  | { readonly verdict: 'stale' }
  /** The token is further above the last one than an honest panel's ever is. */
  | { readonly verdict: 'far' }
  /** The token, or the id, was used for something else. */
  | { readonly verdict: 'conflict' }

/** The filter for counting jobs; a missing key does not narrow. */
export interface Counted {
  readonly types: readonly string[]
  readonly staff?: boolean
  readonly tenant?: Id
  readonly reseller?: Id
  /** Of tenants that the registry does not know, but their creation. */
  readonly unknown?: true
}

/**
 * The token is the version of a row, which goes up by one for each change: a step of a million takes an honest panel
 * years. The end of the numbers is out of reach for whoever takes such steps on purpose.
 */
export const longestStep = 2 ** 20

export class Journal {
  readonly #database: Database
  readonly #prepare: ReturnType<typeof statementsOf>
  readonly #group: GroupCommit

  constructor(database: Database) {
    this.#database = database
    this.#prepare = statementsOf(database)
    this.#group = new GroupCommit(database)
  }

  /**
   * The fence (B10): token and hash are on the disk when this returns.
   * @param accepting called when it would be accepted; what it throws is thrown, and nothing was accepted
   */
  accept(job: NewJob, now: string, accepting: () => void): Acceptance {
    return this.#database.transaction((): Acceptance => {
      const hash = hashOf(job)
      const isCurrent = job.epoch === this.epoch()
      const fence = this.#one(z.strictObject({ token: z.int(), hash: z.string() }), selectFence, job.resource)
      if (isCurrent && fence !== undefined && job.token < fence.token) return { verdict: 'stale' }
      const known = this.#one(HashedJob, `select ${columns}, hash from jobs where id = ?`, job.id)
      if (known !== undefined)
        return isSame(known, job, hash) ? { verdict: 'known', job: known } : { verdict: 'conflict' }
      if (!isCurrent) return { verdict: 'stale' }
      if (fence?.token === job.token) {
        const known = this.#one(JobRow, selectByFence, job.resource, job.token)
        return fence.hash === hash && known !== undefined ? { verdict: 'known', job: known } : { verdict: 'conflict' }
      }
      if (job.token - (fence?.token ?? this.#meta('highest_token')) > longestStep) return { verdict: 'far' }
      this.#write(upsertFence, job.resource, job.token, hash)
      this.#write(insertJob, {
        ...job,
        hash,
        payload: JSON.stringify(job.payload),
        staff: job.staff ? 1 : 0,
        now,
      })
      accepting()
      return { verdict: 'accepted', job: this.#existing(job.id) }
    })()
  }

  job(id: Id): JournaledJob | undefined {
    return this.#one(JobRow, `select ${columns} from jobs where id = ?`, id)
  }

  /** The job begins: what it was resolved to and what it reserves in the registry, at once. */
  begin(job: JournaledJob, target: Json, version: string, reserve: () => void): Promise<void> {
    const query = "update jobs set state = 'running', target = ?, began_with = ? where seq = ?"
    return this.#group.add(() => {
      reserve()
      this.#write(query, JSON.stringify(target), version, job.seq)
    })
  }

  /** The state that a step saw; on the disk when this resolves, and only then the step may be applied. Never overwritten: the first is the state before the job. */
  capture(job: JournaledJob, step: number, name: string, before: Json): Promise<void> {
    const query = 'insert into captures (job, step, name, before) values (?, ?, ?, ?)'
    return this.#group.add(() => this.#write(query, job.seq, step, name, JSON.stringify(before)))
  }

  captures(job: JournaledJob): readonly Capture[] {
    const query = 'select step, name, before from captures where job = ? order by step'
    return this.#all(CaptureRow, query, job.seq)
  }

  undoing(job: JournaledJob, failure: Failure): void {
    this.#write("update jobs set state = 'undoing', failure = ? where seq = ?", JSON.stringify(failure), job.seq)
  }

  stuck(job: JournaledJob, failure: Failure): void {
    this.#write("update jobs set state = 'stuck', failure = ? where seq = ?", JSON.stringify(failure), job.seq)
  }

  /** The end, and what it means for the registry, at once. */
  finish(job: JournaledJob, failure: Failure | null, settle: () => void): Promise<void> {
    return this.#group.add(() => {
      settle()
      const state = failure === null ? 'succeeded' : 'failed'
      const text = failure === null ? null : JSON.stringify(failure)
      this.#write('update jobs set state = ?, failure = ? where seq = ?', state, text, job.seq)
      this.#write('delete from captures where job = ?', job.seq)
    })
  }

  acknowledge(id: Id): Promise<void> {
    const query = "update jobs set acknowledged = 1 where id = ? and state in ('succeeded', 'failed', 'stuck')"
    return this.#group.add(() => this.#write(query, id))
  }

  /** Writes the pending batch to disk. */
  flush(): void {
    this.#group.flush()
  }

  /** Ends that the panel has not confirmed, oldest first; all of them unless a number is given. */
  untold(most = -1): readonly JournaledJob[] {
    this.flush() // what was confirmed a moment ago counts
    const ended = "acknowledged = 0 and state in ('succeeded', 'failed', 'stuck')"
    return this.#all(JobRow, `select ${columns} from jobs where ${ended} order by seq limit ?`, most)
  }

  /** Jobs that a crash or a failed undo left; oldest first. */
  unsettled(): readonly JournaledJob[] {
    return this.#all(JobRow, `select ${columns} from jobs where ${isOpen} order by seq`)
  }

  /** The oldest of the tenant that is older than this one and could not be undone. */
  stuckBefore({ tenant, seq }: JournaledJob): JournaledJob | undefined {
    const query = `select ${columns} from jobs where ${isOpen} and state = 'stuck' and tenant = ? and seq < ? order by seq limit 1`
    return this.#one(JobRow, query, tenant, seq)
  }

  /** Whether a job of the tenant has not ended: it is between two states. */
  isUnsettled(tenant: Id): boolean {
    const query = `select 1 as one from jobs where ${isOpen} and tenant = ? limit 1`
    return this.#one(z.strictObject({ one: z.int() }), query, tenant) !== undefined
  }

  /** 0 before the first was opened. */
  epoch(): number {
    return this.#meta('epoch')
  }

  /** Tokens count anew: no fence stands, and jobs that were queued before are stale. @returns the new one */
  openEpoch(): number {
    return this.#database.transaction((): number => {
      const highest = this.#one(z.strictObject({ token: z.int().nullable() }), 'select max(token) as token from fences')
      this.#write(upsertMeta, 'highest_token', String(Math.max(this.#meta('highest_token'), highest?.token ?? 0)))
      this.#write('delete from fences')
      this.#write(upsertMeta, 'epoch', String(this.epoch() + 1))
      return this.epoch()
    })()
  }

  /** Jobs that were accepted, narrowed by what is given. */
  acceptedSince(moment: string, { types, staff, tenant, reseller, unknown }: Counted): number {
    const query = `select count(*) as n from jobs where accepted_at >= @moment
      and type in (select value from json_each(@types))
      and (@staff is null or staff = @staff) and (@tenant is null or tenant = @tenant)
      and (@reseller is null or reseller = @reseller)
      and (@unknown is null or (type <> 'tenant.create' and tenant not in (select id from tenants)))`
    const given = {
      staff: staff === undefined ? null : Number(staff),
      tenant: tenant ?? null,
      reseller: reseller ?? null,
    }
    const values = { moment, types: JSON.stringify(types), ...given, unknown: unknown === true ? 1 : null }
    return this.#one(z.strictObject({ n: z.int() }), query, values)?.n ?? 0
  }

  /**
   * Forgets what ended before the first moment, and of what ended before the second all but the newest so many. The last
   * job of each tenant and site that the registry knows stays, for whoever asks for its end; so do their fences, and the
   * deletion of what is in the trash, whose days are counted from it.
   */
  forget({
    before,
    beyond,
  }: {
    readonly before: string
    readonly beyond: { readonly before: string; readonly most: number }
  }): void {
    this.#database.transaction(() => {
      const newest = `select max(seq) from jobs where resource in (${ofRegistry}) group by resource
        union all select max(seq) from jobs where resource in (${inTrash}) and ${isDeletion} group by resource`
      const old = `delete from jobs where state in ('succeeded', 'failed') and accepted_at < ? and seq not in (${newest})`
      this.#write(old, before)
      this.#write(
        `${old} and seq <= (select seq from jobs where state in ('succeeded', 'failed') order by seq desc limit 1 offset ?)`,
        beyond.before,
        beyond.most,
      )
      this.#write("delete from sites where state = 'none' and id not in (select resource from jobs)")
      this.#write(
        `delete from fences where resource not in (${ofRegistry}) and resource not in (select resource from jobs)`,
      )
    })()
  }

  #meta(key: 'epoch' | 'highest_token'): number {
    const found = this.#one(z.strictObject({ value: z.string() }), 'select value from meta where key = ?', key)
    return found === undefined ? 0 : Number(found.value)
  }

  #existing(id: Id): JournaledJob {
    const job = this.job(id)
    if (job === undefined) throw new Error(`job ${id} was not journaled`)
    return job
  }

  #one<T extends z.ZodType>(row: T, query: string, ...values: unknown[]): z.output<T> | undefined {
    const found = this.#prepare(query).get(...values)
    return found === undefined ? undefined : row.parse(found)
  }

  #all<T extends z.ZodType>(row: T, query: string, ...values: unknown[]): readonly z.output<T>[] {
    const found = this.#prepare(query).all(...values)
    return found.map((one) => row.parse(one))
  }

  #write(query: string, ...values: unknown[]): void {
    this.#prepare(query).run(...values)
  }
}

/** In the words of the partial index, which SQLite uses for nothing less (sqlite.org/partialindex.html). */
const isOpen = "state in ('queued', 'running', 'undoing', 'stuck')"
const selectFence = 'select token, hash from fences where resource = ?'
const upsertFence = `insert into fences (resource, token, hash) values (?, ?, ?)
  on conflict (resource) do update set token = excluded.token, hash = excluded.hash`
const selectByFence = `select ${columns} from jobs where resource = ? and token = ? order by seq desc limit 1`
const upsertMeta = 'insert into meta (key, value) values (?, ?) on conflict (key) do update set value = excluded.value'
const ofRegistry = "select id from tenants where state <> 'none' union all select id from sites where state <> 'none'"
const inTrash = `select id from tenants where state = 'trashed' union all select id from sites where state = 'trashed'
  union all select id from things where kind = 'database' and json_extract(record, '$.state') = 'trashed'`
const insertJob = `insert into jobs
  (id, type, resource, tenant, token, hash, payload, staff, reseller, destructive, accepted_at, state)
  values (@id, @type, @resource, @tenant, @token, @hash, @payload, @staff, @reseller, 1, @now, 'queued')`

function isSame(known: z.output<typeof HashedJob>, job: NewJob, hash: string): boolean {
  return known.hash === hash && known.resource === job.resource && known.token === job.token
}

/** The payload was parsed by its contract, so its keys are in the contract's order. */
function hashOf({ type, payload }: NewJob): string {
  return createHash('sha256')
    .update(JSON.stringify([type, payload]))
    .digest('hex')
}
