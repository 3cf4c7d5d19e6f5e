/** Conditions, and mails that tell of them. SQLite changes no check of a table: it is made anew. Never edit: add a migration. */
import { index, type Migration, table } from '../../store/migrations/migration.ts'

const mailColumns =
  'id, created_at, updated_at, deleted_at, kind, to_address, user_id, state, attempts, next_try_at, sent_at, error'
const mailKinds = ['invitation', 'password-reset', 'verification', 'address-changed', 'test', 'conditions']

export const conditions: Migration = {
  number: 26,
  name: 'conditions',
  statements: (words) => {
    const { id, int, json, name, time } = words
    return [
      table(words, 'conditions', {
        source: `${name} not null`,
        subject: `${name} not null`,
        severity: "text not null check (severity in ('warning', 'critical'))",
        title: 'text not null',
        detail: 'text',
        page: 'text',
        cleared_at: time,
        is_raise_told: `${int} not null check (is_raise_told in (0, 1))`,
        is_clear_told: `${int} not null check (is_clear_told in (0, 1))`,
      }),
      index('conditions', 'source, subject', { unique: true }),
      index('conditions', 'created_at, id'),
      index('conditions', 'cleared_at'),
      'alter table mails rename to mails_before',
      'drop index mails_state_next_try_at',
      'drop index mails_created_at_id',
      'drop index mails_user_id',
      table(words, 'mails', {
        kind: `text not null check (kind in (${mailKinds.map((kind) => `'${kind}'`).join(', ')}))`,
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
