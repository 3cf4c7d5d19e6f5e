/** How a plan speaks of rows. A column that is not listed never shows; a kind with tables of its own says it in `tables`. */

export interface RowWords {
  readonly one: string
  /** Columns that name a row, in order; an `…_id` by the name of what it refers to. */
  readonly name: readonly string[]
  readonly shows?: readonly string[]
  /** Said to change, and never shown. */
  readonly secret?: readonly string[]
}

/** Of tables that keep count of the panel's own work: no plan speaks of them. */
export const ownWork: ReadonlySet<string> = new Set([
  'permissions',
  'tenant_usage',
  'usage_looks',
  'usage_history',
  'drift_findings',
  'kept_answers',
  'job_steps',
  'domain_proof_tries',
  'audit_logs',
  'audit_heads',
  'root_side',
  'schema_migrations',
])

const limits = [
  ...['max_domains', 'max_disk_mb', 'max_cpu_pct', 'max_mem_mb', 'max_io', 'max_pids', 'max_databases'],
  ...['max_mailboxes', 'bandwidth', 'egress', 'ssh_access', 'features'],
]

const core: Readonly<Record<string, RowWords>> = {
  users: { one: 'user', name: ['email'], shows: ['email', 'status', 'tenant_id'], secret: ['password_hash'] },
  roles: { one: 'role', name: ['name'], shows: ['name', 'scope', 'second_factor'] },
  role_permissions: { one: 'permission of a role', name: ['role_id', 'permission_id'] },
  user_roles: { one: 'role of a user', name: ['user_id', 'role_id'] },
  resellers: { one: 'reseller', name: ['user_id'], shows: ['limits'] },
  sessions: {
    one: 'session',
    name: ['user_id'],
    shows: ['ip', 'impersonator_id', 'confirmed_at'],
    secret: ['token_hash'],
  },
  api_keys: {
    one: 'API key',
    name: ['name', 'user_id'],
    shows: ['scopes', 'addresses', 'expires_at'],
    secret: ['key_hash', 'signing_secret'],
  },
  login_challenges: { one: 'begun sign-in', name: ['user_id'], secret: ['token_hash'] },
  totp_factors: { one: 'authenticator app', name: ['user_id'], shows: ['confirmed_at'], secret: ['secret'] },
  client_certificates: { one: 'client certificate', name: ['name', 'user_id'], shows: ['fingerprint', 'expires_at'] },
  known_networks: { one: 'known network', name: ['network', 'user_id'] },
  recovery_codes: { one: 'recovery code', name: ['user_id'], shows: ['used_at'], secret: ['code_digest'] },
  mails: { one: 'mail', name: ['kind', 'to_address'], shows: ['state'] },
  one_time_links: {
    one: 'one-time link',
    name: ['purpose', 'user_id'],
    shows: ['email', 'expires_at'],
    secret: ['token_hash'],
  },
  packages: {
    one: 'package',
    name: ['name'],
    shows: ['name', 'description', 'is_default', 'is_system', 'reseller_id'],
  },
  package_limits: { one: 'limits of package', name: ['package_id'], shows: limits },
  tenants: {
    one: 'tenant',
    name: ['name'],
    shows: ['display_name', 'status', 'package_id', 'owner_id', 'reseller_id'],
  },
  domains: { one: 'domain', name: ['fqdn'], shows: ['status', 'php'] },
  domain_names: { one: 'name of a domain', name: ['name', 'domain_id'], shows: ['is_alias', 'proof_id'] },
  domain_proofs: { one: 'proof of ownership', name: ['name', 'tenant_id'], shows: ['next_try_at'] },
  domain_claims: { one: 'claim', name: ['name', 'tenant_id'] },
  holds: { one: 'hold', name: ['tenant_id', 'domain_id', 'user_id', 'reason'], shows: ['effect', 'level', 'note'] },
  mail_boxes: { one: 'mailbox', name: ['address'], shows: ['quota_mb', 'status'], secret: ['password_hash'] },
  backups: { one: 'backup', name: ['tenant_id', 'target'], shows: ['status'] },
  releases: { one: 'release', name: ['name', 'domain_id'], shows: ['source', 'is_current', 'status'] },
  resources: { one: 'resource', name: ['name'], shows: ['kind', 'status'] },
  nodes: { one: 'node', name: ['name'], shows: ['status'] },
  settings: { one: 'setting', name: ['key'], shows: ['value'] },
  webhooks: {
    one: 'webhook',
    name: ['trashed_name', 'name'],
    shows: ['name', 'url', 'events', 'is_active', 'disabled_reason'],
    secret: ['secret'],
  },
  webhook_deliveries: { one: 'delivery', name: ['event', 'webhook_id'], shows: ['state'] },
  jobs: { one: 'job', name: ['type', 'resource_name'], shows: ['state'] },
}

/** Those of all kinds. */
export function rowWords(
  kinds: readonly { readonly tables?: Readonly<Record<string, RowWords>> }[],
): ReadonlyMap<string, RowWords> {
  return new Map([core, ...kinds.map(({ tables }) => tables ?? {})].flatMap((tables) => Object.entries(tables)))
}

/** The table that a column refers to. */
export const referred: Readonly<Record<string, string>> = {
  user_id: 'users',
  owner_id: 'users',
  impersonator_id: 'users',
  role_id: 'roles',
  permission_id: 'permissions',
  reseller_id: 'resellers',
  package_id: 'packages',
  tenant_id: 'tenants',
  domain_id: 'domains',
  proof_id: 'domain_proofs',
  webhook_id: 'webhooks',
  cron_id: 'cron_jobs',
}
