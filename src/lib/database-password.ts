/** Passwords of databases: made here, shown once, and kept by the server as a verifier alone. */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto'
import { type DatabaseEngine, PasswordVerifier } from '../contract/database.ts'

/** 192 bits, of signs that need no quoting in a configuration, a shell or an address. */
export function newDatabasePassword(): string {
  return randomBytes(24).toString('base64url').replaceAll(/[-_]/g, 'x')
}

export function verifierOf(engine: DatabaseEngine, password: string): PasswordVerifier {
  return PasswordVerifier.parse(engine === 'mariadb' ? nativeVerifier(password) : scramVerifier(password))
}

/** As `mysql_native_password` keeps it: the one way to sign in that PHP knows for every version of MariaDB. */
function nativeVerifier(password: string): string {
  const once = createHash('sha1').update(password).digest()
  return `*${createHash('sha1').update(once).digest('hex').toUpperCase()}`
}

const turns = 4096

/** RFC 5802, section 3, in the form of PostgreSQL (`pg_be_scram_build_secret`). The password is ASCII, so SASLprep leaves it. */
export function scramVerifier(password: string, salt: Buffer = randomBytes(16)): string {
  const salted = pbkdf2Sync(password, salt, turns, 32, 'sha256')
  const keyed = (word: string) => createHmac('sha256', salted).update(word).digest()
  const stored = createHash('sha256').update(keyed('Client Key')).digest('base64')
  return `SCRAM-SHA-256$${turns}:${salt.toString('base64')}$${stored}:${keyed('Server Key').toString('base64')}`
}
