/** What lists, counts and housekeeping need beside ten thousand tenants. Never edit: add a migration. */
import { index, type Migration } from './migration.ts'

const trashed = 'deleted_at is not null'
const refused = "outcome <> 'ok'"
const at = '2026-11-21T00:00:00.000Z'
const permission = '6f1d3c52-0a4e-4b7e-9a51-0c1f5c5e0001'
/** Role → id of its grant: resellers and customers. */
const grants = [
  ['6f1d3c52-0a4e-4b7e-9a51-0c1f5a5d0002', '6f1d3c52-0a4e-4b7e-9a51-0c1f5c5f0001'],
  ['6f1d3c52-0a4e-4b7e-9a51-0c1f5a5d0003', '6f1d3c52-0a4e-4b7e-9a51-0c1f5c5f0002'],
] as const

export const manyTenants: Migration = {
  number: 6,
  name: 'many-tenants',
  statements: () => [
    // Narrowed lists come out of their index in the order in which they are shown.
    'drop index tenants_package_id',
    index('tenants', 'package_id, name, id'),
    index('tenants', 'status, name, id'),
    index('tenants', 'limits_owed, name', { where: 'limits_owed = 1' }),
    index('domains', 'status, fqdn, id'),
    // What is due to be purged, oldest first.
    index('tenants', 'status, deleted_at'),
    index('domains', 'status, deleted_at'),
    index('jobs', 'type, sequence'),
    index('jobs', 'type, state, sequence'),
    // Almost every entry is "ok": these stay small.
    index('audit_logs', 'sequence', { where: refused }),
    index('audit_logs', 'action, sequence', { where: refused }),
    index('audit_logs', 'actor, sequence', { where: refused }),
    index('users', 'deleted_at', { where: trashed }),
    index('sessions', 'deleted_at', { where: trashed }),
    // A foreign key looks for the rows that point at it in a whole index only.
    index('api_keys', 'user_id'),
    index('resellers', 'user_id'),
    `insert into permissions (id, created_at, updated_at, name) values ('${permission}', '${at}', '${at}', 'health.counts')`,
    ...grants.map(
      ([role, grant]) =>
        'insert into role_permissions (id, created_at, updated_at, role_id, permission_id) ' +
        `values ('${grant}', '${at}', '${at}', '${role}', '${permission}')`,
    ),
  ],
}
