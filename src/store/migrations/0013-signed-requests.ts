/** API keys whose secret signs requests instead of being sent with them. Never edit: add a migration. */
import type { Migration } from './migration.ts'

export const signedRequests: Migration = {
  number: 13,
  name: 'signed-requests',
  statements: () => ['alter table api_keys add column signing_secret text'],
}
