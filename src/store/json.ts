/** The one codec of JSON columns: text for the database, a value for us. */

/** Characters that no store keeps in text are replaced: NUL, and halves of a surrogate pair. */
export function encodeJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => (typeof part === 'string' ? storable(part) : part))
}

/** Parse what comes out by a schema: the file could have been edited. */
export function decodeJson(text: string): unknown {
  return JSON.parse(text)
}

export function storable(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\uFFFD')
}
