/** Tenants, their sites and their packages. */
import type { Generated } from 'kysely'
import type { Bit, CommonColumns, JsonText } from './common.ts'

export interface PackageTable extends CommonColumns {
  name: string
  description: string
  is_system: Bit
  /** Of the panel's own packages one, of each reseller's one. */
  is_default: Bit
  /** null: the panel's own. */
  reseller_id: string | null
}

/** One row for each package; null is no limit. */
export interface PackageLimitTable extends CommonColumns {
  package_id: string
  max_domains: number | null
  max_disk_mb: number | null
  max_cpu_pct: number | null
  max_mem_mb: number | null
  max_io: number | null
  max_pids: number | null
  max_databases: number | null
  max_mailboxes: number | null
  bandwidth: number | null
  /** The word of an `EgressPolicy`. */
  egress: Generated<string>
  /** The word of an `SshAccess`. */
  ssh_access: Generated<string>
  features: JsonText
}

export interface TenantTable extends CommonColumns {
  name: string
  owner_id: string | null
  package_id: string
  reseller_id: string | null
  node_id: string | null
  linux_user: string
  display_name: string | null
  /** What no two living tenants have in common (`display-name.ts`). */
  display_key: string | null
  status: string
  /** Raised with each job: the fencing token. */
  version: number
  /** The package's limits changed and the machine has not been told. */
  limits_owed: Bit
}

export interface TenantUsageTable extends CommonColumns {
  tenant_id: string
  used_disk_mb: number
  used_domains: number
  cpu_usage_avg: Generated<number>
  memory_mb: Generated<number>
  pressure: Generated<number>
  /** Bytes sent in the month that `usage_history` has last. */
  bandwidth_tx: number
}

/** The last look of a source at a tenant. */
export interface UsageLookTable extends CommonColumns {
  tenant_id: string
  source: string
  looked_at: string
  /** What the source has to know of it the next time. */
  state: JsonText
}

/** A row for each day and each month, of which so many are kept. */
export interface UsageHistoryTable extends CommonColumns {
  tenant_id: string
  span: 'day' | 'month'
  /** `2026-03-01` or `2026-03`. */
  period: string
  used_disk_mb: number
  used_domains: number
  bandwidth_tx: number
}

export interface DomainTable extends CommonColumns {
  tenant_id: string
  fqdn: string
  php: string | null
  status: string
  version: number
  verification: JsonText | null
  settings: JsonText
  /** Status to go back to, for a domain that went into the trash with its tenant; else null. */
  status_before_tenant: string | null
}

/** The fqdn and the aliases of all domains: one place where a name can be taken. */
export interface DomainNameTable extends CommonColumns {
  domain_id: string
  tenant_id: string
  name: string
  /** The labels from the last to the first, `com.example.`: what lies below a name is a range of it. */
  reversed: string
  is_alias: Bit
  /** The name is wished for and not had before this proof; null: it is held. */
  proof_id: string | null
}

/** A tenant is asked to prove that a name is his own. */
export interface DomainProofTable extends CommonColumns {
  tenant_id: string
  name: string
  /** Looks at the DNS that ended without the proof. */
  tries: number
  last_try_at: string | null
  /** null: nobody looks any more. */
  next_try_at: string | null
}

/** A name that a tenant was asked to prove within the last day, whatever has become of it. */
export interface DomainClaimTable extends CommonColumns {
  tenant_id: string
  name: string
}

export interface DomainProofTryTable extends CommonColumns {
  proof_id: string
  outcome: string
  detail: string
}

/** Why a tenant, a domain or a person is suspended, or a tenant locked; one of the three ids is set. */
export interface HoldTable extends CommonColumns {
  tenant_id: string | null
  domain_id: string | null
  user_id: string | null
  /** `suspend` or `lock`. */
  effect: Generated<string>
  level: string
  reason: string
  note: string
  actor: string
  actor_id: string | null
}
