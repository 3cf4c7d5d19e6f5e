/** API keys that are found by a part of them that is no secret. There were none before. Never edit: add a migration. */
import { index, type Migration, table } from './migration.ts'

export const apiKeys: Migration = {
  number: 8,
  name: 'api-keys',
  statements: (words) => {
    const { id, json, name, time } = words
    return [
      'drop table api_keys',
      table(words, 'api_keys', {
        user_id: `${id} not null references users (id) on delete cascade`,
        name: `${name} not null`,
        selector: 'text not null unique',
        key_hash: 'text not null',
        scopes: `${json} not null`,
        addresses: `${json} not null`,
        expires_at: `${time} not null`,
        last_used_at: time,
      }),
      index('api_keys', 'user_id, name', { unique: true }),
      index('api_keys', 'name, id'),
      index('api_keys', 'expires_at'),
    ]
  },
}
