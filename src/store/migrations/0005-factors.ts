/** Second factors, what is left of a sign-in without its second factor, and sessions that know how they began. Never edit: add a migration. */
import { index, type Migration, table } from './migration.ts'

export const factors: Migration = {
  number: 5,
  name: 'factors',
  statements: (words) => {
    const { id, int, time } = words
    const user = `${id} not null references users (id) on delete cascade`
    const longAgo = "'1970-01-01T00:00:00.000Z'"
    return [
      // Nobody knows of the old ones with how many factors they began: people sign in again.
      'delete from sessions',
      `alter table sessions add column idle_until ${time} not null default ${longAgo}`,
      `alter table sessions add column confirmed_at ${time} not null default ${longAgo}`,
      "alter table sessions add column factor text not null default 'none' check (factor in ('none', 'totp', 'recovery', 'certificate'))",
      "alter table roles add column second_factor text not null default 'optional' check (second_factor in ('optional', 'required', 'certificate'))",
      'alter table users drop column totp',
      table(words, 'totp_factors', {
        user_id: `${user} unique`,
        secret: 'text not null',
        confirmed_at: time,
        last_step: `${int} not null default 0`,
      }),
      table(words, 'recovery_codes', { user_id: user, code_digest: 'text not null unique', used_at: time }),
      index('recovery_codes', 'user_id'),
      table(words, 'login_challenges', {
        token_hash: 'text not null unique',
        user_id: user,
        tries: `${int} not null default 0`,
        expires_at: `${time} not null`,
      }),
      index('login_challenges', 'user_id'),
      index('login_challenges', 'expires_at'),
    ]
  },
}
