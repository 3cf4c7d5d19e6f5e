/** API keys and webhooks that are in the trash, whose names others may have. Never edit: add a migration. */
import { index, type Migration } from './migration.ts'

export const trashOfKeys: Migration = {
  number: 30,
  name: 'trash-of-keys',
  statements: ({ name }) => [
    'drop index api_keys_user_id_name',
    index('api_keys', 'user_id, name', { unique: true, where: 'deleted_at is null' }),
    index('api_keys', 'user_id'),
    `alter table webhooks add column trashed_name ${name}`,
  ],
}
