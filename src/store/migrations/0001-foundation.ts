/** The whole schema, as it was first laid. Never edit: add a migration. */
import { index, type Migration, table, type Words } from './migration.ts'

export const foundation: Migration = {
  number: 1,
  name: 'foundation',
  statements: (words) => [...packages(words), ...people(words), ...hosting(words), ...services(words), ...work(words)],
}

/** A name may be taken again once its holder is in the trash; one that is being brought back counts as alive. */
const living = "deleted_at is null or status = 'restoring'"
const alive = 'deleted_at is null'
const owned = (words: Words) => `${words.id} not null references tenants (id) on delete cascade`

function packages(words: Words): string[] {
  const { id, int, json, name } = words
  return [
    table(words, 'nodes', {
      name: `${name} not null`,
      certificate_fingerprint: 'text',
      status: 'text not null',
      last_seen_at: words.time,
      details: `${json} not null`,
    }),
    index('nodes', 'name', { unique: true, where: alive }),
    table(words, 'packages', {
      name: `${name} not null`,
      description: 'text not null',
      is_system: `${int} not null default 0`,
      is_default: `${int} not null default 0`,
    }),
    index('packages', 'name', { unique: true, where: alive }),
    index('packages', 'name, id'),
    index('packages', 'is_default', { unique: true, where: 'is_default = 1' }),
    table(words, 'package_limits', {
      package_id: `${id} not null unique references packages (id) on delete cascade`,
      max_domains: int,
      max_disk_mb: int,
      max_cpu_pct: int,
      max_mem_mb: int,
      max_io: int,
      max_pids: int,
      max_databases: int,
      max_mailboxes: int,
      bandwidth: int,
      features: `${json} not null`,
    }),
  ]
}

function people(words: Words): string[] {
  const { id, int, json, name, time } = words
  const later = words.store === 'postgres'
  return [
    table(words, 'users', {
      email: `${name} not null`,
      password_hash: 'text not null',
      // tenants and users point at each other; PostgreSQL takes this half of it once both exist.
      tenant_id: later ? id : `${id} references tenants (id) on delete cascade`,
      totp: json,
      status: "text not null check (status in ('active', 'suspended'))",
    }),
    index('users', 'email', { unique: true, where: alive }),
    index('users', 'email, id'),
    index('users', 'tenant_id'),
    table(words, 'roles', {
      name: `${name} not null unique`,
      scope: "text not null check (scope in ('global', 'reseller', 'local'))",
      all_permissions: `${int} not null default 0`,
    }),
    table(words, 'permissions', { name: `${name} not null unique` }),
    table(
      words,
      'role_permissions',
      {
        role_id: `${id} not null references roles (id) on delete cascade`,
        permission_id: `${id} not null references permissions (id) on delete cascade`,
      },
      ['unique (role_id, permission_id)'],
    ),
    index('role_permissions', 'permission_id'),
    table(
      words,
      'user_roles',
      {
        user_id: `${id} not null references users (id) on delete cascade`,
        role_id: `${id} not null references roles (id) on delete cascade`,
      },
      ['unique (user_id, role_id)'],
    ),
    index('user_roles', 'role_id'),
    table(words, 'resellers', {
      user_id: `${id} not null references users (id) on delete cascade`,
      limits: `${json} not null`,
    }),
    index('resellers', 'user_id', { unique: true, where: alive }),
    table(words, 'sessions', {
      token_hash: 'text not null unique',
      user_id: `${id} references users (id) on delete cascade`,
      kind: "text not null check (kind in ('user', 'bootstrap'))",
      ip: 'text not null',
      user_agent: 'text not null',
      last_seen_at: `${time} not null`,
      expires_at: `${time} not null`,
    }),
    index('sessions', 'user_id'),
    index('sessions', 'expires_at'),
    table(words, 'api_keys', {
      user_id: `${id} not null references users (id) on delete cascade`,
      name: `${name} not null`,
      key_hash: 'text not null unique',
      scopes: `${json} not null`,
      addresses: `${json} not null`,
      expires_at: `${time} not null`,
      last_used_at: time,
    }),
    index('api_keys', 'user_id, name', { unique: true, where: alive }),
  ]
}

function hosting(words: Words): string[] {
  const { id, int, json, name, real } = words
  return [
    table(words, 'tenants', {
      name: `${name} not null`,
      owner_id: `${id} references users (id) on delete set null`,
      package_id: `${id} not null references packages (id)`,
      reseller_id: `${id} references resellers (id) on delete set null`,
      node_id: `${id} references nodes (id)`,
      linux_user: `${name} not null`,
      status: 'text not null',
      version: `${int} not null`,
      limits_owed: `${int} not null default 0`,
    }),
    ...(words.store === 'postgres'
      ? ['alter table users add foreign key (tenant_id) references tenants (id) on delete cascade']
      : []),
    index('tenants', 'name', { unique: true, where: living }),
    index('tenants', 'name, id'),
    index('tenants', 'package_id'),
    index('tenants', 'package_id', { where: 'deleted_at is null' }),
    index('tenants', 'owner_id'),
    index('tenants', 'reseller_id'),
    index('tenants', 'node_id'),
    index('tenants', 'deleted_at', { where: 'deleted_at is not null' }),
    index('tenants', 'name, id', { where: 'deleted_at is not null' }),
    index('tenants', 'package_id, name', { where: 'limits_owed = 1' }),
    table(words, 'tenant_usage', {
      tenant_id: `${id} not null unique references tenants (id) on delete cascade`,
      used_disk_mb: `${int} not null default 0`,
      used_domains: `${int} not null default 0`,
      cpu_usage_avg: `${real} not null default 0`,
      memory_mb: `${int} not null default 0`,
      pressure: `${real} not null default 0`,
      bandwidth_tx: `${int} not null default 0`,
    }),
    table(words, 'domains', {
      tenant_id: owned(words),
      fqdn: `${name} not null`,
      php: 'text',
      status: 'text not null',
      version: `${int} not null`,
      verification: json,
      settings: `${json} not null`,
      status_before_tenant: 'text',
    }),
    index('domains', 'fqdn', { unique: true, where: living }),
    index('domains', 'fqdn, id'),
    index('domains', 'tenant_id, fqdn'),
    index('domains', 'deleted_at', { where: 'deleted_at is not null' }),
    index('domains', 'fqdn, id', { where: 'deleted_at is not null' }),
    table(words, 'domain_names', {
      domain_id: `${id} not null references domains (id) on delete cascade`,
      tenant_id: owned(words),
      name: `${name} not null`,
      reversed: `${name} not null`,
      is_alias: `${int} not null`,
    }),
    index('domain_names', 'name', { unique: true, where: alive }),
    index('domain_names', 'name, deleted_at'),
    index('domain_names', 'reversed', { where: alive }),
    index('domain_names', 'domain_id'),
    index('domain_names', 'tenant_id'),
  ]
}

function services(words: Words): string[] {
  const { id, int, json, name, time } = words
  const domain = `${id} not null references domains (id) on delete cascade`
  const state = { status: 'text not null', version: `${int} not null` }
  return [
    table(words, 'databases', {
      tenant_id: owned(words),
      name: `${name} not null`,
      engine: 'text not null',
      db_user: `${name} not null`,
      isolation: "text not null check (isolation in ('shared', 'dedicated'))",
      ...state,
    }),
    index('databases', 'name', { unique: true, where: alive }),
    index('databases', 'tenant_id'),
    table(words, 'certificates', {
      tenant_id: owned(words),
      domain_id: `${id} references domains (id) on delete cascade`,
      names: `${json} not null`,
      source: 'text not null',
      not_after: time,
      ...state,
    }),
    index('certificates', 'tenant_id'),
    index('certificates', 'domain_id'),
    index('certificates', 'not_after'),
    table(words, 'mail_boxes', {
      tenant_id: owned(words),
      domain_id: domain,
      address: `${name} not null`,
      password_hash: 'text not null',
      quota_mb: int,
      ...state,
    }),
    index('mail_boxes', 'address', { unique: true, where: alive }),
    index('mail_boxes', 'tenant_id'),
    index('mail_boxes', 'domain_id'),
    table(words, 'cron_jobs', {
      tenant_id: owned(words),
      schedule: 'text not null',
      command: 'text not null',
      enabled: `${int} not null`,
      ...state,
    }),
    index('cron_jobs', 'tenant_id'),
    table(words, 'backups', {
      tenant_id: owned(words),
      target: 'text not null',
      snapshot: 'text',
      size_bytes: int,
      status: 'text not null',
      finished_at: time,
      details: `${json} not null`,
    }),
    index('backups', 'tenant_id'),
    table(words, 'releases', {
      tenant_id: owned(words),
      domain_id: domain,
      name: `${name} not null`,
      source: 'text not null',
      is_current: `${int} not null default 0`,
      status: 'text not null',
      details: `${json} not null`,
    }),
    index('releases', 'domain_id, name', { unique: true, where: alive }),
    index('releases', 'domain_id', { unique: true, where: 'is_current = 1 and deleted_at is null' }),
    index('releases', 'tenant_id'),
    table(words, 'apps', {
      tenant_id: owned(words),
      name: `${name} not null`,
      runtime: 'text not null',
      settings: `${json} not null`,
      ...state,
    }),
    index('apps', 'tenant_id, name', { unique: true, where: alive }),
    table(words, 'resources', {
      tenant_id: owned(words),
      name: `${name} not null`,
      kind: 'text not null',
      settings: `${json} not null`,
      ...state,
    }),
    index('resources', 'tenant_id, name', { unique: true, where: alive }),
  ]
}

function work(words: Words): string[] {
  const { id, int, json, name, time } = words
  return [
    table(words, 'settings', { key: `${name} not null unique`, value: `${json} not null` }),
    table(words, 'jobs', {
      sequence: `${int} not null unique`,
      type: 'text not null',
      payload: `${json} not null`,
      state: "text not null check (state in ('queued', 'running', 'stalled', 'succeeded', 'failed', 'cancelled'))",
      // A purge outlives the tenant it removes.
      tenant_id: `${id} references tenants (id) on delete set null`,
      resource_kind: 'text not null',
      resource_id: `${id} not null`,
      resource_name: `${name} not null`,
      lock_key: `${name} not null`,
      token: `${int} not null`,
      previous_status: 'text not null',
      row_before: `${json} not null`,
      attempts: `${int} not null default 0`,
      heartbeat_at: time,
      started_at: time,
      finished_at: time,
      failure: json,
      actor: 'text not null',
      actor_id: id,
      log: "text not null default ''",
    }),
    index('jobs', 'lock_key', { unique: true, where: "state in ('queued', 'running', 'stalled')" }),
    index('jobs', 'tenant_id, sequence', { where: "state in ('queued', 'running', 'stalled')" }),
    index('jobs', 'sequence', { where: "state in ('queued', 'running', 'stalled')" }),
    index('jobs', 'tenant_id, sequence'),
    index('jobs', 'resource_id, sequence'),
    index('jobs', 'state, sequence'),
    index('jobs', 'finished_at'),
    table(
      words,
      'job_steps',
      {
        job_id: `${id} not null references jobs (id) on delete cascade`,
        position: `${int} not null`,
        name: 'text not null',
        state: 'text',
        note: 'text',
        started_at: time,
        finished_at: time,
      },
      ['unique (job_id, position)'],
    ),
    table(words, 'audit_logs', {
      sequence: `${int} not null unique`,
      actor: 'text not null',
      actor_id: id,
      tenant_id: id,
      action: `${name} not null`,
      outcome: 'text not null',
      metadata: `${json} not null`,
      ip: 'text',
      request_id: 'text',
      checksum: 'text not null',
    }),
    index('audit_logs', 'tenant_id, sequence'),
    index('audit_logs', 'action, sequence'),
    index('audit_logs', 'actor, sequence'),
    table(words, 'audit_heads', {
      sequence: `${int} not null`,
      checksum: 'text not null',
      seal: 'text not null',
    }),
  ]
}
