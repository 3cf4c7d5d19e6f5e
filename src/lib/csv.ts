/** Rows as text for spreadsheets. */

/** RFC 4180, with a header. A value that a spreadsheet would take for a formula gets an apostrophe before it. */
export function csv<K extends string>(columns: readonly K[], rows: readonly Readonly<Record<K, unknown>>[]): string {
  const lines = rows.map((row) => columns.map((column) => field(row[column])))
  return [columns, ...lines].map((line) => `${line.join(',')}\r\n`).join('')
}

function field(value: unknown): string {
  if (value === null || value === undefined) return ''
  const text = escaped(typeof value === 'string' ? value : JSON.stringify(value))
  const safe = /^[=+\-@]/.test(text) ? `'${text}` : text
  return /[",]/.test(safe) || safe !== safe.trim() ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** As JSON writes them: a line is a line for every reader. */
export function escaped(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (one) =>
    one.replace(/[\s\S]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
  )
}
