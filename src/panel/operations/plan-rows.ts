/** The words for a changed row. What is no listed column never shows, and a secret only that it changes. */
import type { Change } from '../../contract/wire.ts'
import { kinds } from '../../resources/index.ts'
import { type RowWords, referred, rowWords } from '../../resources/row-words.ts'
import type { Row, RowChange, Watched } from '../../store/watched.ts'

const words = rowWords(kinds)
const longestValue = 500
const longestStep = 400

export function rowTeller({
  changes,
  rowOf,
}: Pick<Watched<unknown>, 'changes' | 'rowOf'>): (change: RowChange) => Promise<readonly Change[]> {
  const known = new Map<string, Row>()
  for (const { table, before, after } of changes) {
    const row = after ?? before
    if (row !== null) known.set(`${table} ${row.id}`, row)
  }

  /** By the names of what it refers to, such as its user's. */
  async function nameOf(table: string, row: Row): Promise<string> {
    const parts: string[] = []
    for (const column of wordsFor(table).name) if (!isNothing(row[column])) parts.push(await shown(column, row[column]))
    return parts.join(', ')
  }

  async function shown(column: string, value: unknown): Promise<string> {
    const table = referred[column]
    if (isNothing(value)) return 'none'
    if (table === undefined) return plain(column, value)
    const row = known.get(`${table} ${value}`) ?? (await rowOf(table, String(value)))
    if (row === undefined) return String(value)
    known.set(`${table} ${value}`, row)
    return await nameOf(table, row)
  }

  return async ({ table, before, after }) => {
    const { one, shows = [], secret = [] } = wordsFor(table)
    const row = after ?? before
    if (row === null) return []
    const step = `${one} ${await nameOf(table, row)}`.trim().slice(0, longestStep)
    const [was, is] = [living(before), living(after)]
    const lines: string[] = []
    for (const column of shows) {
      const [old, new_] = [was?.[column], is?.[column]]
      if (old === new_) continue
      if (was !== null && !(is === null && isNothing(old))) lines.push(`- ${said(column)}: ${await shown(column, old)}`)
      if (is !== null && !(was === null && isNothing(new_)))
        lines.push(`+ ${said(column)}: ${await shown(column, new_)}`)
    }
    for (const column of secret)
      if (was !== null && is !== null && was[column] !== is[column])
        lines.push(`+ ${said(column)}: another one, which is not shown`)
    const diff = lines.length > 0 ? lines.join('\n') : null
    if (was === null && is === null) return []
    if (was === null) return [{ step, action: 'create', diff }]
    if (is === null) return [{ step, action: 'remove', diff }]
    return diff === null ? [] : [{ step, action: 'change', diff }]
  }
}

function wordsFor(table: string): RowWords {
  return words.get(table) ?? { one: table.replaceAll('_', ' '), name: ['name'] }
}

/** In the trash is gone. */
function living(row: Row | null): Row | null {
  return row === null || !isNothing(row.deleted_at) ? null : row
}

function isNothing(value: unknown): boolean {
  return value === null || value === undefined || value === ''
}

function plain(column: string, value: unknown): string {
  if (column.startsWith('is_') || column === 'enabled') return Number(value) === 1 ? 'yes' : 'no'
  const text = String(value).replaceAll(/\s+/g, ' ')
  return text.length > longestValue ? `${text.slice(0, longestValue)} …` : text
}

/** `package_id` → `package` */
function said(column: string): string {
  return column.replace(/_id$/, '').replaceAll('_', ' ')
}
