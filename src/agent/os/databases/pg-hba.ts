/**
 * Which doors of PostgreSQL tenants come in by: the unix socket with a password, each to the database of its own name. As
 * distributions have it, everybody may connect to the administrator's databases over the network, and nobody by a password
 * over the socket. The lines are the administrator's to write: other users of the server sign in by the same file.
 */
import { WcpError } from '../../../contract/errors.ts'
import type { Row, Session } from './session.ts'
import { statement } from './statement.ts'

const lines = [
  'local sameuser +wcp360_tenants scram-sha-256',
  'local all +wcp360_tenants reject',
  'host all +wcp360_tenants all reject',
] as const

/** As they are in the view: type, database, user and way. */
const wanted = JSON.stringify([
  ['local', '{sameuser}', '{+wcp360_tenants}', 'scram-sha-256'],
  ['local', '{all}', '{+wcp360_tenants}', 'reject'],
  ['host', '{all}', '{+wcp360_tenants}', 'reject'],
])

export function keepTenantsApart(rules: readonly Row[]): boolean {
  return JSON.stringify(rules) === wanted
}

export async function mustKeepTenantsApart(session: Session): Promise<void> {
  const rules = await session.ask(
    statement`select r.type, r.database::text, r.user_name::text, r.auth_method
      from pg_hba_file_rules() with ordinality as r order by r.ordinality limit 3`,
  )
  if (keepTenantsApart(rules)) return
  const [shown] = await session.ask(statement`show hba_file`)
  throw new WcpError('unavailable', 'Cannot use PostgreSQL for tenants: its pg_hba.conf does not keep them apart', {
    help: `Put these lines before all others in ${shown?.[0] ?? 'pg_hba.conf'}, then "systemctl reload postgresql": ${lines.join(' · ')}`,
  })
}
