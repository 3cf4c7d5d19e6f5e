/** TLS certificates as a second factor, and sessions that are bound to one. Never edit: add a migration. */
import { index, type Migration, table } from './migration.ts'

export const clientCertificates: Migration = {
  number: 10,
  name: 'client-certificates',
  statements: (words) => {
    const { id, time } = words
    return [
      table(
        words,
        'client_certificates',
        {
          user_id: `${id} not null references users (id) on delete cascade`,
          name: 'text not null',
          fingerprint: 'text not null',
          expires_at: `${time} not null`,
          last_used_at: time,
        },
        ['unique (user_id, fingerprint)'],
      ),
      index('client_certificates', 'created_at, id'),
      `alter table sessions add column certificate_id ${id} references client_certificates (id) on delete cascade`,
      index('sessions', 'certificate_id'),
    ]
  },
}
