/** Names that wait are found by their proof; those that do not are no list of their own. Never edit: add a migration. */
import { index, type Migration } from './migration.ts'

export const namesByProof: Migration = {
  number: 16,
  name: 'names-by-proof',
  statements: () => [
    // SQLite took it for names "without a proof" too, which is nearly all of them.
    'drop index domain_names_proof_id',
    index('domain_names', 'proof_id', { where: 'proof_id is not null' }),
  ],
}
