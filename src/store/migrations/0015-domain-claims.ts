/** Names for which tenants were asked for proofs lately, so that they can be counted. Never edit: add a migration. */
import { index, type Migration, table } from './migration.ts'

export const domainClaims: Migration = {
  number: 15,
  name: 'domain-claims',
  statements: (words) => [
    table(words, 'domain_claims', {
      tenant_id: `${words.id} not null references tenants (id) on delete cascade`,
      name: `${words.name} not null`,
    }),
    index('domain_claims', 'tenant_id, name', { unique: true }),
    index('domain_claims', 'created_at'),
  ],
}
