/** Lists whose newest come first are read in the order of an index. Never edit: add a migration. */
import { index, type Migration } from './migration.ts'

export const newest: Migration = {
  number: 37,
  name: 'newest',
  statements: () => ['tenants', 'domains', 'users', 'databases'].map((table) => index(table, 'created_at, id')),
}
