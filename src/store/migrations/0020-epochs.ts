/** The epoch in which the root side counts tokens, and that of each job; who asked for it. Never edit: add a migration. */
import { type Migration, table } from './migration.ts'

const row = { id: '6f1d3c52-0a4e-4b7e-9a51-0c1f5ce90001', at: '2026-11-28T00:00:00.000Z' }

export const epochs: Migration = {
  number: 20,
  name: 'epochs',
  statements: (words) => [
    table(words, 'root_side', { epoch: words.int }),
    `insert into root_side (id, created_at, updated_at, epoch) values ('${row.id}', '${row.at}', '${row.at}', 0)`,
    `alter table jobs add column epoch ${words.int}`,
    'update jobs set epoch = 0',
    `alter table jobs add column is_staff ${words.int} not null default 0`,
  ],
}
