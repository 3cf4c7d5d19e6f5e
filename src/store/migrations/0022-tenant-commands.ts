/** Customers and resellers may run commands, see what they print and end them. Never edit: add a migration. */
import type { Migration } from './migration.ts'

const at = '2026-11-28T00:00:00.000Z'
/** Resellers and customers. */
const roles = ['6f1d3c52-0a4e-4b7e-9a51-0c1f5a5d0002', '6f1d3c52-0a4e-4b7e-9a51-0c1f5a5d0003'] as const

export const tenantCommands: Migration = {
  number: 22,
  name: 'tenant-commands',
  statements: () =>
    ['domain.run', 'job.output', 'job.stop'].flatMap((name, place) => {
      const permission = `6f1d3c52-0a4e-4b7e-9a51-0c1f610e000${place + 1}`
      return [
        `insert into permissions (id, created_at, updated_at, name) values ('${permission}', '${at}', '${at}', '${name}')`,
        ...roles.map(
          (role, index) =>
            'insert into role_permissions (id, created_at, updated_at, role_id, permission_id) ' +
            `values ('6f1d3c52-0a4e-4b7e-9a51-0c1f610f00${place + 1}${index + 1}', '${at}', '${at}', '${role}', '${permission}')`,
        ),
      ]
    }),
}
