/** Names that wait for a proof of ownership, and the looks at the DNS for it. Never edit: add a migration. */
import { index, type Migration, table } from './migration.ts'

const living = "(deleted_at is null or status = 'restoring')"
const at = '2026-11-21T00:00:00.000Z'
/** Resellers and customers. */
const roles = ['6f1d3c52-0a4e-4b7e-9a51-0c1f5a5d0002', '6f1d3c52-0a4e-4b7e-9a51-0c1f5a5d0003'] as const

export const domainProofs: Migration = {
  number: 12,
  name: 'domain-proofs',
  statements: (words) => {
    const { id, int, name, time } = words
    return [
      table(words, 'domain_proofs', {
        tenant_id: `${id} not null references tenants (id) on delete cascade`,
        name: `${name} not null`,
        tries: `${int} not null`,
        last_try_at: time,
        next_try_at: time,
      }),
      index('domain_proofs', 'tenant_id, name', { unique: true }),
      index('domain_proofs', 'next_try_at'),
      table(words, 'domain_proof_tries', {
        proof_id: `${id} not null references domain_proofs (id) on delete cascade`,
        outcome:
          "text not null check (outcome in ('absent', 'other_value', 'server_failure', 'no_answer', 'not_to_be_had'))",
        detail: 'text not null',
      }),
      index('domain_proof_tries', 'proof_id, created_at'),
      // Who waits for a proof keeps nobody else from the name: only names that are held are held once.
      `alter table domain_names add column proof_id ${id} references domain_proofs (id)`,
      index('domain_names', 'proof_id'),
      'drop index domain_names_name_some',
      index('domain_names', 'name', { unique: true, where: 'deleted_at is null and proof_id is null' }),
      'drop index domains_fqdn_some',
      index('domains', 'fqdn', { unique: true, where: `${living} and status <> 'unverified'` }),
      index('domains', 'tenant_id, fqdn', { unique: true, where: `${living} and status = 'unverified'` }),
      ...grants(),
    ]
  },
}

function grants(): string[] {
  return ['domain.proofs', 'domain.verify'].flatMap((name, place) => {
    const permission = `6f1d3c52-0a4e-4b7e-9a51-0c1f608e000${place + 1}`
    return [
      `insert into permissions (id, created_at, updated_at, name) values ('${permission}', '${at}', '${at}', '${name}')`,
      ...roles.map(
        (role, index) =>
          'insert into role_permissions (id, created_at, updated_at, role_id, permission_id) ' +
          `values ('6f1d3c52-0a4e-4b7e-9a51-0c1f608f00${place + 1}${index + 1}', '${at}', '${at}', '${role}', '${permission}')`,
      ),
    ]
  })
}
