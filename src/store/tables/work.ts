/** The panel's own records: jobs, settings, nodes, and the trail of who did what. */
import type { Generated } from 'kysely'
import type { Bit, CommonColumns, JsonText } from './common.ts'

/** Of a call with an Idempotency-Key. */
export interface KeptAnswerTable extends CommonColumns {
  /** HMAC of actor and key. */
  key_digest: string
  /** HMAC of operation and input. */
  request_digest: string
  /** Sealed: the value and the ids of the jobs. */
  answer: string
}

export interface WebhookTable extends CommonColumns {
  name: string
  url: string
  /** Sealed. */
  secret: string
  events: JsonText
  is_active: Bit
  disabled_reason: string | null
  failing_since: string | null
  /** Of one in the trash, whose `name` is its id. */
  trashed_name: string | null
}

export interface WebhookDeliveryTable extends CommonColumns {
  webhook_id: string
  event: string
  /** As it is sent: text, because the signature is over its bytes. */
  body: string
  state: string
  attempts: number
  tries: JsonText
  next_try_at: string | null
}

export interface NodeTable extends CommonColumns {
  name: string
  certificate_fingerprint: string | null
  status: string
  last_seen_at: string | null
  details: JsonText
}

export interface SettingTable extends CommonColumns {
  key: string
  value: JsonText
}

export interface JobTable extends CommonColumns {
  /** Order of creation. */
  sequence: number
  type: string
  payload: JsonText
  state: string
  /** null once the tenant was purged. */
  tenant_id: string | null
  resource_kind: string
  resource_id: string
  resource_name: string
  /** One active job for each: `tenant:<id>` or `domain:<id>`. */
  lock_key: string
  /** Fencing token. */
  token: number
  /** In which tokens are compared; null while the root side has not told a new one. */
  epoch: number | null
  /** Staff or root asked for it. */
  is_staff: Bit
  previous_status: string
  /** The row as it was when the job was queued: what a failure leads back to. */
  row_before: JsonText
  /** Operation and input of the call, without secrets; null where there was none. */
  request: JsonText | null
  attempts: number
  heartbeat_at: string | null
  started_at: string | null
  finished_at: string | null
  failure: JsonText | null
  actor: string
  actor_id: string | null
  log: string
}

export interface JobStepTable extends CommonColumns {
  job_id: string
  position: number
  name: string
  state: string | null
  note: string | null
  started_at: string | null
  finished_at: string | null
}

/** Only ever added to. Tenant and actor are no foreign keys: the trail outlives both. */
export interface AuditLogTable extends CommonColumns {
  sequence: number
  actor: string
  actor_id: string | null
  tenant_id: string | null
  action: string
  outcome: string
  metadata: JsonText
  ip: string | null
  request_id: string | null
  checksum: string
}

/** One row: what of the root side the store remembers. */
export interface RootSideTable extends CommonColumns {
  /** null: the store was put back, and a new epoch is asked for. */
  epoch: number | null
}

/** One row: where the trail ends, sealed with the same key, so that a cut end is seen. */
export interface AuditHeadTable extends CommonColumns {
  sequence: number
  checksum: string
  seal: string
  /** Up to this entry the root side has it. */
  mirrored: Generated<number>
}

export interface SchemaMigrationTable {
  number: number
  name: string
  checksum: string
  applied_at: string
}
