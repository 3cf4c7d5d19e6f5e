/** The validated scalars of databases: all that a statement to a database server can be made of. */
import { z } from 'zod'
import type { FieldError } from './errors.ts'

export const databaseEngines = ['mariadb', 'postgresql'] as const
export const DatabaseEngine = z.enum(databaseEngines, { error: 'mariadb or postgresql' })
export type DatabaseEngine = z.infer<typeof DatabaseEngine>

/** A grant names its database in 64 characters in which `_` and `%` are escaped: without that they would match others (C30). */
const longestInGrants = 64
/** A directory bears the name, with five bytes for all but letters, digits and `_`. */
const longestAsFile = 240

/**
 * Name of a database and of its user. Wildcards and backticks may be in it. A backslash may not: whether it escapes depends
 * on the mode of the server's session. Nor may other quotes, because mariadb-dump escapes them where it must not and then
 * finds no routines and events (`dump_routines_for_db` of mysqldump.cc).
 */
export const DatabaseName = z
  .string()
  .max(64, { error: 'at most 64 characters' })
  .regex(/^[a-z0-9](?:[a-z0-9_$%.`-]*[a-z0-9_$%`])?$/, {
    error: 'lower-case letters, digits and _ - . $ % `, beginning with a letter or digit',
  })
  .refine((name) => name.replaceAll(/[_%]/g, '..').length <= longestInGrants, {
    error: 'at most 64 characters, of which each _ and % counts twice',
  })
  .refine((name) => name.replaceAll(/[^a-z0-9_]/g, '.....').length <= longestAsFile, { error: 'fewer signs in it' })
  .brand<'DatabaseName'>()
export type DatabaseName = z.infer<typeof DatabaseName>

/**
 * How text is kept and compared unless a table says otherwise; the first one unless somebody chooses. For MariaDB the part
 * before the first `_` is the character set; PostgreSQL's is always UTF-8. `C.UTF-8` orders by code points, which no later
 * version of a library changes below an index; `und-x-icu` orders as people do.
 */
export const collationsOf = {
  mariadb: ['utf8mb4_unicode_ci', 'utf8mb4_general_ci', 'utf8mb4_uca1400_ai_ci', 'utf8mb4_bin', 'latin1_swedish_ci'],
  postgresql: ['C.UTF-8', 'und-x-icu'],
} as const satisfies Record<DatabaseEngine, readonly string[]>

export const collations = [...collationsOf.mariadb, ...collationsOf.postgresql] as const
export const Collation = z.enum(collations, { error: `one of ${collations.join(', ')}` })
export type Collation = z.infer<typeof Collation>

/** Of a user in a database: to read; to change rows as well, and call routines; or tables as well. */
export const DatabaseAccess = z.enum(['read', 'write', 'all'], { error: 'read, write or all' })
export type DatabaseAccess = z.infer<typeof DatabaseAccess>

/** Of `mysql_native_password`; of SCRAM with the standard's number of turns: base64 of 16, 32 and 32 bytes. */
const verifiersOf: Readonly<Record<DatabaseEngine, RegExp>> = {
  mariadb: /^\*[0-9A-F]{40}$/,
  postgresql: /^SCRAM-SHA-256\$4096:[A-Za-z0-9+/]{22}==\$[A-Za-z0-9+/]{43}=:[A-Za-z0-9+/]{43}=$/,
}

/** What a server keeps instead of a password, made of one with at least 128 bits: it opens nothing. */
export const PasswordVerifier = z
  .string()
  .max(200)
  .refine((text) => Object.values(verifiersOf).some((shape) => shape.test(text)), {
    error: 'a verifier of mysql_native_password or SCRAM-SHA-256',
  })
  .brand<'PasswordVerifier'>()
export type PasswordVerifier = z.infer<typeof PasswordVerifier>

interface Wanted {
  readonly engine: DatabaseEngine
  readonly name: DatabaseName
  readonly collation: Collation
}

/** What a server cannot have although it is well formed. */
export function unfitFor({ engine, name, collation }: Wanted): FieldError | undefined {
  const fitting: readonly Collation[] = collationsOf[engine]
  if (!fitting.includes(collation))
    return { field: 'collation', problem: `is not one of ${engine}`, accepted: `one of ${fitting.join(', ')}` }
  if (engine === 'postgresql' && name.length > longestIdentifier)
    return { field: 'name', problem: 'is too long', accepted: `at most ${longestIdentifier} characters on PostgreSQL` }
  if (engine === 'postgresql' && name.startsWith('pg_'))
    return { field: 'name', problem: 'begins with "pg_"', accepted: 'a name that PostgreSQL does not keep for itself' }
  return undefined
}

/** PostgreSQL cuts a longer one off without a word. */
const longestIdentifier = 63

export function isVerifierOf(engine: DatabaseEngine, verifier: PasswordVerifier): boolean {
  return verifiersOf[engine].test(verifier)
}
