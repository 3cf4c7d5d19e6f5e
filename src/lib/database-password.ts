/** Passwords of databases: made here, shown once, and kept by the server as a verifier alone. */
import { createHash, randomBytes } from 'node:crypto'
import { PasswordVerifier } from '../contract/database.ts'

/** 192 bits, of signs that need no quoting in a configuration, a shell or an address. */
export function newDatabasePassword(): string {
  return randomBytes(24).toString('base64url').replaceAll(/[-_]/g, 'x')
}

/** As `mysql_native_password` keeps it: the one way to sign in that PHP knows for every version of MariaDB. */
export function verifierOf(password: string): PasswordVerifier {
  const once = createHash('sha1').update(password).digest()
  return PasswordVerifier.parse(`*${createHash('sha1').update(once).digest('hex').toUpperCase()}`)
}
