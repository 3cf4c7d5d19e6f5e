/** The roles that always exist, and what a customer may do. Never edit: add a migration. */
import type { Migration } from './migration.ts'

const roles = [
  { id: '6f1d3c52-0a4e-4b7e-9a51-0c1f5a5d0001', name: 'system_admin', scope: 'global', all: 1 },
  { id: '6f1d3c52-0a4e-4b7e-9a51-0c1f5a5d0002', name: 'reseller', scope: 'reseller', all: 0 },
  { id: '6f1d3c52-0a4e-4b7e-9a51-0c1f5a5d0003', name: 'user', scope: 'local', all: 0 },
] as const

const customerMay = [
  'package.get',
  'tenant.list',
  'tenant.get',
  'domain.list',
  'domain.get',
  'domain.create',
  'domain.update',
  'domain.suspend',
  'domain.unsuspend',
  'domain.delete',
  'domain.restore',
  'job.list',
  'job.get',
  'user.get',
  'user.update',
] as const

const at = '2026-01-01T00:00:00.000Z'

export const firstRoles: Migration = {
  number: 2,
  name: 'first-roles',
  statements: () => [
    ...roles.map(
      (role) =>
        'insert into roles (id, created_at, updated_at, name, scope, all_permissions) ' +
        `values ('${role.id}', '${at}', '${at}', '${role.name}', '${role.scope}', ${role.all})`,
    ),
    ...customerMay.flatMap((name, place) => {
      const suffix = String(place + 1).padStart(4, '0')
      const permission = `6f1d3c52-0a4e-4b7e-9a51-0c1f5a5e${suffix}`
      const grant = `6f1d3c52-0a4e-4b7e-9a51-0c1f5a5f${suffix}`
      return [
        `insert into permissions (id, created_at, updated_at, name) values ('${permission}', '${at}', '${at}', '${name}')`,
        'insert into role_permissions (id, created_at, updated_at, role_id, permission_id) ' +
          `values ('${grant}', '${at}', '${at}', '${roles[2].id}', '${permission}')`,
      ]
    }),
  ],
}
