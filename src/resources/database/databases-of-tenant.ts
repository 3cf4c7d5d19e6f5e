import type { Counted } from '../package/allowance.ts'
import { mostOfTenant } from './jobs.ts'

export const databasesOfTenant: Counted = {
  limit: 'maxDatabases',
  one: 'database',
  many: 'databases',
  count: ({ databases }, tenant) => databases.countOf(tenant),
  ceiling: mostOfTenant,
}
