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

/** @param sources all that should be known; of some nothing may be yet */
export function table(results: readonly Result[], sources: readonly string[]): string {
  const bySource = Map.groupBy(results, ({ source }) => source)
  const rows = sources.map((source) => row(`\`${source}\``, bySource.get(source) ?? []))
  return [
    '| source | tried | without effect | noticed | |',
    '|---|---|---|---|---|',
    ...rows,
    row('all', results),
  ].join('\n')
}

function row(name: string, results: readonly Result[]): string {
  if (results.length === 0) return `| ${name} | 0 | | | not tried yet |`
  const counted = results.filter((one) => reasonOf(one) === undefined)
  const noticed = counted.filter((one) => one.noticed !== null).length
  const share = counted.length === 0 ? 1 : noticed / counted.length
  const percent = `${Math.floor(share * 100)} %${share < wantedShare ? ' (too few)' : ''}`
  return `| ${name} | ${results.length} | ${results.length - counted.length} | ${noticed} | ${percent} |`
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
