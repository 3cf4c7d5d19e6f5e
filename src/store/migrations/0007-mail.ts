/** Mails that wait or were sent, one-time links, and resellers who invite their customers. Never edit: add a migration. */
import { index, type Migration, table } from './migration.ts'

export const mail: Migration = {
  number: 7,
  name: 'mail',
  statements: (words) => {
    const { id, int, name, time } = words
    return [
      table(words, 'mails', {
        kind: "text not null check (kind in ('invitation', 'password-reset', 'verification', 'test'))",
        to_address: `${name} not null`,
        user_id: `${id} references users (id) on delete cascade`,
        state: "text not null check (state in ('queued', 'sent', 'failed'))",
        attempts: `${int} not null`,
        next_try_at: time,
        sent_at: time,
        error: 'text',
      }),
      index('mails', 'state, next_try_at'),
      index('mails', 'created_at, id'),
      index('mails', 'user_id'),
      table(words, 'one_time_links', {
        token_hash: 'text not null unique',
        user_id: `${id} not null references users (id) on delete cascade`,
        purpose: "text not null check (purpose in ('invitation', 'password-reset', 'verification'))",
        email: name,
        expires_at: `${time} not null`,
      }),
      index('one_time_links', 'user_id, purpose'),
      index('one_time_links', 'expires_at'),
      ...grants(),
    ]
  },
}

const at = '2026-01-01T00:00:00.000Z'
const reseller = '6f1d3c52-0a4e-4b7e-9a51-0c1f5a5d0002'

function grants(): string[] {
  return ['user.invite', 'user.reset-link'].flatMap((name, place) => {
    const permission = `6f1d3c52-0a4e-4b7e-9a51-0c1f5e7e000${place + 1}`
    const grant = `6f1d3c52-0a4e-4b7e-9a51-0c1f5e7f000${place + 1}`
    return [
      `insert into permissions (id, created_at, updated_at, name) values ('${permission}', '${at}', '${at}', '${name}')`,
      'insert into role_permissions (id, created_at, updated_at, role_id, permission_id) ' +
        `values ('${grant}', '${at}', '${at}', '${reseller}', '${permission}')`,
    ]
  })
}
