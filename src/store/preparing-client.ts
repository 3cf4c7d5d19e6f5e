/**
 * PostgreSQL's driver, with statements that are planned once for a connection and not at each question, which takes the
 * server longer than most answers. A search is not: what it costs depends on what is looked for, and a plan that fits
 * everything took four times as long.
 */
import pg from 'pg'

/** The name that a statement's text is prepared under, the same on every connection. */
const prepared = new Map<string, string>()
/** The server keeps what was prepared until the connection ends: lists of any length, each a text of its own, are not. */
const mostPrepared = 300
const mostValues = 20

export class PreparingClient extends pg.Client {
  override query(...call: unknown[]): never {
    const [text, values] = call
    const name = typeof text === 'string' && Array.isArray(values) ? nameOf(text, values.length) : undefined
    return Reflect.apply(super.query, this, name === undefined ? call : [{ name, text, values }]) as never // by its overloads
  }
}

function nameOf(text: string, values: number): string | undefined {
  if (values === 0 || values > mostValues || text.includes(' like ')) return undefined
  const known = prepared.get(text)
  if (known !== undefined || prepared.size === mostPrepared) return known
  const name = `wcp${prepared.size}`
  prepared.set(text, name)
  return name
}
