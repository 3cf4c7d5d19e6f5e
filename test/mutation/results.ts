/** What is known of each change, kept between runs, and the table that stands in the docs. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { reasonOf } from './without-effect.ts'

export interface Result {
  readonly source: string
  readonly line: number
  readonly change: string
  /** The test that failed, and why; null when none did. */
  readonly noticed: string | null
}

export class Results {
  readonly #path: string
  readonly #known: Map<string, Result>

  constructor(path: string) {
    this.#path = path
    this.#known = new Map(Object.entries(read(path)))
  }

  of(key: string): Result | undefined {
    return this.#known.get(key)
  }

  keep(key: string, result: Result): void {
    this.#known.set(key, result)
    mkdirSync(dirname(this.#path), { recursive: true })
    writeFileSync(`${this.#path}.new`, JSON.stringify(Object.fromEntries(this.#known), null, 1))
    renameSync(`${this.#path}.new`, this.#path)
  }
}

function read(path: string): Readonly<Record<string, Result>> {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {}
    throw error
  }
}

export const wantedShare = 0.85

/** What is told of one source. */
export interface Row {
  readonly source: string
  readonly tried: number
  readonly harmless: number
  readonly noticed: number
  /** The day on which the last of it was tried or looked up. */
  readonly day: string
}

/**
 * The rows of these results, in the order of the sources; of a source that they say nothing of, what was known before.
 * @param unchangeable sources in which there is nothing to try
 */
export function rowsOf(
  results: readonly Result[],
  sources: readonly string[],
  unchangeable: ReadonlySet<string>,
  before: ReadonlyMap<string, Row> = new Map(),
): readonly Row[] {
  const bySource = Map.groupBy(results, ({ source }) => source)
  const day = new Date().toISOString().slice(0, 10)
  return sources.map((source) => {
    const own = bySource.get(source)
    const none = { source, tried: 0, harmless: 0, noticed: 0 }
    if (own === undefined)
      return unchangeable.has(source) ? { ...none, day } : (before.get(source) ?? { ...none, day: '' })
    const counted = own.filter((one) => reasonOf(one) === undefined)
    const noticed = counted.filter((one) => one.noticed !== null).length
    return { source, tried: own.length, harmless: own.length - counted.length, noticed, day }
  })
}

export function table(rows: readonly Row[]): string {
  const sum = (part: 'tried' | 'harmless' | 'noticed') => rows.reduce((total, row) => total + row[part], 0)
  const all = { tried: sum('tried'), harmless: sum('harmless'), noticed: sum('noticed'), day: '' }
  return [
    '| source | tried | without effect | noticed | | on |',
    '|---|---|---|---|---|---|',
    ...rows.map((row) => line(`\`${row.source}\``, row)),
    line('all', all),
  ].join('\n')
}

/** The rows of a table that was written earlier. */
export function rowsIn(page: string): ReadonlyMap<string, Row> {
  const lines = page.matchAll(/^\| `(\S+)` \| (\d+) \| (\d+) \| (\d+) \| [^|]+ \| (\S+) \|$/gm)
  return new Map(
    [...lines].map(([, source = '', tried, harmless, noticed, day = '']) => [
      source,
      { source, tried: Number(tried), harmless: Number(harmless), noticed: Number(noticed), day },
    ]),
  )
}

function line(name: string, { tried, harmless, noticed, day }: Omit<Row, 'source'>): string {
  if (tried === 0 && day === '') return `| ${name} | 0 | | | not tried yet | |`
  if (tried === 0) return `| ${name} | 0 | 0 | 0 | nothing to try | ${day} |`
  const share = tried === harmless ? 1 : noticed / (tried - harmless)
  const percent = `${Math.floor(share * 100)} %${share < wantedShare ? ' (too few)' : ''}`
  return `| ${name} | ${tried} | ${harmless} | ${noticed} | ${percent} | ${day} |`
}

export function survivors(results: readonly Result[]): string {
  return list(results.filter((one) => one.noticed === null && reasonOf(one) === undefined))
}

/** Those that nobody could see, with the reason. */
export function harmless(results: readonly Result[]): string {
  return list(results.filter((one) => reasonOf(one) !== undefined))
}

function list(results: readonly Result[]): string {
  const ending = (one: Result) => (reasonOf(one) === undefined ? '' : `: ${reasonOf(one)}`)
  return results.map((one) => `- \`${one.source}:${one.line}\` \`\` ${one.change} \`\`${ending(one)}`).join('\n')
}
