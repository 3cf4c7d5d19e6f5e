/** The validated scalars of databases: all that a statement to a database server can be made of. */
import { z } from 'zod'

export const databaseEngines = ['mariadb'] as const
export const DatabaseEngine = z.enum(databaseEngines, { error: 'mariadb' })
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

/** How text is kept and compared unless a table says otherwise; the part before the first `_` is the character set. */
export const collations = [
  'utf8mb4_unicode_ci',
  'utf8mb4_general_ci',
  'utf8mb4_uca1400_ai_ci',
  'utf8mb4_bin',
  'latin1_swedish_ci',
] as const
export const Collation = z.enum(collations, { error: `one of ${collations.join(', ')}` })
export type Collation = z.infer<typeof Collation>

/** What a server keeps instead of a password, made of one with at least 128 bits: it opens nothing. */
export const PasswordVerifier = z
  .string()
  .regex(/^\*[0-9A-F]{40}$/, { error: 'a verifier of mysql_native_password' })
  .brand<'PasswordVerifier'>()
export type PasswordVerifier = z.infer<typeof PasswordVerifier>
