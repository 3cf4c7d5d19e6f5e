/** Mails that tell of certificates that end. SQLite changes no check of a table: it is made anew. Never edit: add a migration. */
import { index, type Migration, table } from '../../store/migrations/migration.ts'

const mailColumns =
  'id, created_at, updated_at, deleted_at, kind, to_address, user_id, state, attempts, next_try_at, sent_at, error, lines'
const kinds = ['invitation', 'password-reset', 'verification', 'address-changed', 'test', 'conditions', 'certificates']

export const certificateEnds: Migration = {
  number: 43,
  name: 'certificate-ends',
  statements: (words) => {
    const { id, int, json, name, time } = words
    return [
      `alter table certificates add column told_days ${int}`,
      'alter table mails rename to mails_before',
      'drop index mails_state_next_try_at',
      'drop index mails_created_at_id',
      'drop index mails_user_id',
      table(words, 'mails', {
        kind: `text not null check (kind in (${kinds.map((kind) => `'${kind}'`).join(', ')}))`,
        to_address: `${name} not null`,
        user_id: `${id} references users (id) on delete cascade`,
        state: "text not null check (state in ('queued', 'sent', 'failed'))",
        attempts: `${int} not null`,
        next_try_at: time,
        sent_at: time,
        error: 'text',
        lines: json,
      }),
      `insert into mails (${mailColumns}) select ${mailColumns} from mails_before`,
      'drop table mails_before',
      index('mails', 'state, next_try_at'),
      index('mails', 'created_at, id'),
      index('mails', 'user_id'),
    ]
  },
}
