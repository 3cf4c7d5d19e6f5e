/** What resellers have of their own, roles that people make, and sessions in which one person acts as another. Never edit: add a migration. */
import { index, type Migration, type Words } from './migration.ts'

const roleIds = { reseller: '6f1d3c52-0a4e-4b7e-9a51-0c1f5a5d0002' }

/** All of a customer's permissions, and what selling needs. */
const resellerMay = [
  'tenant.list',
  'tenant.get',
  'tenant.create',
  'tenant.update',
  'tenant.suspend',
  'tenant.unsuspend',
  'tenant.delete',
  'tenant.restore',
  'domain.list',
  'domain.get',
  'domain.create',
  'domain.update',
  'domain.suspend',
  'domain.unsuspend',
  'domain.delete',
  'domain.restore',
  'package.list',
  'package.get',
  'package.create',
  'package.update',
  'package.delete',
  'package.restore',
  'user.list',
  'user.get',
  'user.create',
  'user.update',
  'user.suspend',
  'user.unsuspend',
  'user.delete',
  'user.restore',
  'user.impersonate',
  'role.list',
  'role.get',
  'role.grant',
  'role.revoke',
  'reseller.get',
  'job.list',
  'job.get',
  'job.cancel',
] as const

/** Those of them that 0002 has not made yet. */
const newPermissions = [
  'tenant.create',
  'tenant.update',
  'tenant.suspend',
  'tenant.unsuspend',
  'tenant.delete',
  'tenant.restore',
  'package.list',
  'package.create',
  'package.update',
  'package.delete',
  'package.restore',
  'user.list',
  'user.create',
  'user.suspend',
  'user.unsuspend',
  'user.delete',
  'user.restore',
  'user.impersonate',
  'role.list',
  'role.get',
  'role.grant',
  'role.revoke',
  'reseller.get',
  'job.cancel',
] as const

const at = '2026-01-01T00:00:00.000Z'
const alive = 'deleted_at is null'

export const resale: Migration = {
  number: 3,
  name: 'resale',
  statements: (words) => [
    `alter table roles add column is_built_in ${words.int} not null default 0`,
    'update roles set is_built_in = 1',
    ...packagesOfResellers(words),
    index('tenants', 'reseller_id, name, id'),
    `alter table sessions add column impersonator_id ${words.id} references users (id) on delete cascade`,
    `alter table sessions add column resume_until ${words.time}`,
    index('sessions', 'impersonator_id'),
    ...grants(),
  ],
}

/** The names and the default of a reseller are his own: they collide with nobody's and tell nothing of others. */
function packagesOfResellers({ id }: Words): string[] {
  return [
    `alter table packages add column reseller_id ${id} references resellers (id) on delete cascade`,
    'drop index packages_name_some',
    'drop index packages_is_default_some',
    index('packages', 'name', { unique: true, where: `${alive} and reseller_id is null` }),
    index('packages', 'reseller_id, name', { unique: true, where: `${alive} and reseller_id is not null` }),
    index('packages', 'is_default', { unique: true, where: 'is_default = 1 and reseller_id is null' }),
    index('packages', 'reseller_id', { unique: true, where: 'is_default = 1 and reseller_id is not null' }),
    index('packages', 'reseller_id, name, id'),
  ]
}

function grants(): string[] {
  const suffix = (place: number) => String(place + 1).padStart(4, '0')
  return [
    ...newPermissions.map(
      (name, place) =>
        'insert into permissions (id, created_at, updated_at, name) ' +
        `values ('6f1d3c52-0a4e-4b7e-9a51-0c1f5b5e${suffix(place)}', '${at}', '${at}', '${name}')`,
    ),
    ...resellerMay.map(
      (name, place) =>
        'insert into role_permissions (id, created_at, updated_at, role_id, permission_id) ' +
        `values ('6f1d3c52-0a4e-4b7e-9a51-0c1f5b5f${suffix(place)}', '${at}', '${at}', '${roleIds.reseller}', ` +
        `(select id from permissions where name = '${name}'))`,
    ),
  ]
}
