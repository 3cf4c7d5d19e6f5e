/** The only way a link gets into a page: a path of this panel, or a web address. */

/** Anything else, such as `javascript:` or a path that browsers read as another host (`//x`, `/\x`), becomes `#`. */
export function safeUrl(value: unknown): string {
  const text = typeof value === 'string' ? value : ''
  // Printable ASCII without the back slash: browsers drop tabs and line ends inside a URL before they read it.
  if (!/^[!-[\]-~]+$/.test(text)) return '#'
  if (text.startsWith('#') || text.startsWith('?')) return text
  if (text.startsWith('/') && !text.startsWith('//')) return text
  return /^https?:\/\/[^/]/i.test(text) && URL.canParse(text) ? text : '#'
}

/** A path with its parts escaped: ``path`/tenants/${name}` ``. */
export function path(parts: TemplateStringsArray, ...values: readonly (string | number)[]): string {
  return parts.reduce((text, part, at) => text + encodeURIComponent(String(values[at - 1] ?? '')) + part)
}

/** Query text with a leading `?`, or nothing; empty and absent values are left out. */
export function query(values: Readonly<Record<string, string | number | boolean | null | undefined>>): string {
  const given = Object.entries(values).flatMap(([key, value]) =>
    value === undefined || value === null || value === '' || value === false ? [] : [[key, String(value)]],
  )
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`
}
