/** Networks from which people have signed in, so that no flood of strangers stands before them. Never edit: add a migration. */
import { index, type Migration, table } from './migration.ts'

export const knownNetworks: Migration = {
  number: 19,
  name: 'known-networks',
  statements: (words) => [
    table(
      words,
      'known_networks',
      {
        user_id: `${words.id} not null references users (id) on delete cascade`,
        network: 'text not null',
        used_at: `${words.time} not null`,
      },
      ['unique (user_id, network)'],
    ),
    index('known_networks', 'used_at'),
  ],
}
