/** What every store needs beside the database. */
import { Id } from '../contract/values.ts'

export interface StoreTools {
  /** The moment of the call, ISO 8601, UTC, milliseconds. */
  readonly now: string
  newId(): Id
}

/**
 * Gives a column its branded or narrowed type back. What is in the store passed its schema on the way in; it is not
 * parsed again, so that one damaged row cannot take a whole list from everybody. The root side does parse it again.
 */
export function stored<T extends string>(text: string): T {
  return text as T
}

export function storedOrNull<T extends string>(text: string | null): T | null {
  return text as T | null
}

export function isId(ref: string): ref is Id {
  return Id.safeParse(ref).success
}

/** For `like`: finds the text itself wherever it is, whatever it holds. Names are lower case. */
export function containing(text: string): string {
  return `%${text.toLowerCase().replaceAll(/[\\%_]/g, '\\$&')}%`
}
