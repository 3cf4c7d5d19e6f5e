/** The call that a job came from, so that it can be made once more. Never edit: add a migration. */
import type { Migration } from '../../store/migrations/migration.ts'

export const requests: Migration = {
  number: 33,
  name: 'requests-of-jobs',
  statements: ({ json }) => [`alter table jobs add column request ${json}`],
}
