/**
 * Statements to a database server. A statement is a text of the source with pieces in it, and each kind of piece knows how it
 * is quoted: a plain text in the place of one does not compile, and there is no way from a text to a statement.
 */
import type { Collation, DatabaseName, PasswordVerifier } from '../../../contract/database.ts'

/** Its private field keeps every other object from being taken for one; the class itself stays in this file. */
class Statement {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  get text(): string {
    return this.#text
  }
}

export type { Statement }

/** A statement, or a part of one. */
export function statement(texts: TemplateStringsArray, ...pieces: readonly Statement[]): Statement {
  return new Statement(texts.map((text, index) => `${text}${pieces[index]?.text ?? ''}`).join(''))
}

/** The database, or the user on this machine. */
export function named(name: DatabaseName): Statement {
  return new Statement(`\`${name.replaceAll('`', '``')}\``)
}

export function user(name: DatabaseName): Statement {
  return new Statement(`${named(name).text}@\`localhost\``)
}

/** For a grant: there `_` and `%` stand for others unless they are escaped. */
export function exactly(name: DatabaseName): Statement {
  return new Statement(`\`${name.replaceAll(/[_%]/g, '\\$&').replaceAll('`', '``')}\``)
}

/** As a value to compare with: there is neither a quote nor a backslash in it. */
export function value(name: DatabaseName | PasswordVerifier): Statement {
  return new Statement(`'${name}'`)
}

export function collated(name: Collation): Statement {
  const set = name.slice(0, name.indexOf('_'))
  return new Statement(`character set ${set} collate ${name}`)
}

export function number(count: number): Statement {
  if (!Number.isSafeInteger(count)) throw new RangeError(`${count} is no whole number`)
  return new Statement(String(count))
}

/** The database or the role of PostgreSQL. */
export function quoted(name: DatabaseName): Statement {
  return new Statement(`"${name.replaceAll('"', '""')}"`)
}

/** How a database of PostgreSQL compares text. Without a name of a library it is the one of the C library. */
export function localed(name: Collation): Statement {
  const people = name === 'und-x-icu' ? " locale_provider icu icu_locale 'und'" : ''
  return new Statement(`encoding 'UTF8' lc_collate 'C.UTF-8' lc_ctype 'C.UTF-8'${people}`)
}

export function login(isOpen: boolean): Statement {
  return new Statement(isOpen ? 'login' : 'nologin')
}

export function account(isOpen: boolean): Statement {
  return new Statement(`account ${isOpen ? 'unlock' : 'lock'}`)
}
