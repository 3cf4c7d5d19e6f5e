/**
 * A migration is a list of statements, not code that runs: what was applied can be pinned by a checksum, also inside the
 * packed executable. Migrations only go forward; each runs in a transaction of its own.
 */
import { createHash } from 'node:crypto'

/** The words that differ between the two stores. */
export interface Words {
  readonly store: 'sqlite' | 'postgres'
  readonly id: string
  readonly time: string
  readonly json: string
  readonly int: string
  readonly real: string
  /** Text that is ordered and compared by its bytes on both stores, as cursors need it. */
  readonly name: string
  /** Ends a `create table`. */
  readonly strict: string
}

export interface Migration {
  readonly number: number
  readonly name: string
  statements(words: Words): readonly string[]
}

export const sqliteWords: Words = {
  store: 'sqlite',
  id: 'text',
  time: 'text',
  json: 'text',
  int: 'integer',
  real: 'real',
  name: 'text',
  strict: ' strict',
}

export const postgresWords: Words = {
  store: 'postgres',
  id: 'uuid',
  time: 'timestamptz',
  json: 'jsonb',
  int: 'bigint',
  real: 'double precision',
  name: 'text collate "C"',
  strict: '',
}

export function checksumOf(migration: Migration, words: Words): string {
  const hash = createHash('sha256')
  for (const statement of migration.statements(words)) hash.update(`${statement};\n`)
  return hash.digest('hex')
}

/** A table with the columns that all have. `columns`: name → type and constraints; `rules`: constraints of the whole table. */
export function table(words: Words, name: string, columns: Record<string, string>, rules: readonly string[] = []) {
  const common = {
    id: `${words.id} not null primary key`,
    created_at: `${words.time} not null`,
    updated_at: `${words.time} not null`,
    deleted_at: words.time,
  }
  const lines = Object.entries({ ...common, ...columns }).map(([column, type]) => `${column} ${type}`)
  return `create table ${name} (${[...lines, ...rules].join(', ')})${words.strict}`
}

/** `index('jobs', 'state, sequence')`; `where` makes it partial. */
export function index(on: string, columns: string, options: { unique?: boolean; where?: string } = {}): string {
  const name = `${on}_${columns.replaceAll(/\W+/g, '_')}${options.where === undefined ? '' : '_some'}`
  const where = options.where === undefined ? '' : ` where ${options.where}`
  return `create ${options.unique === true ? 'unique ' : ''}index ${name} on ${on} (${columns})${where}`
}
