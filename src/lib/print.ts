/** The output of commands, in a shell and on the terminal page: tables, single things, plans and problems for people; JSON for programs. */
import { styleText } from 'node:util'
import type { WcpError } from '../contract/errors.ts'
import type { Change } from '../contract/wire.ts'

export interface Output {
  /** Results. */
  out(text: string): void
  /** Everything that is not the result: problems, progress, hints. */
  err(text: string): void
  /** Whether colours may be used. */
  readonly colour: boolean
}

export type Row = Readonly<Record<string, unknown>>

type Style = Parameters<typeof styleText>[0]

export function paint(output: Output, style: Style, text: string): string {
  return output.colour ? styleText(style, text, { validateStream: false }) : text
}

export function printJson(output: Output, value: unknown): void {
  output.out(JSON.stringify(value, null, 2) + '\n')
}

/** A header and one line a row, columns as wide as their widest cell. */
export function printTable(output: Output, columns: readonly string[], rows: readonly Row[]): void {
  if (rows.length === 0) {
    output.err('nothing found\n')
    return
  }
  const cells = rows.map((row) => columns.map((column) => cell(row[column])))
  const widths = columns.map((column, index) =>
    Math.max(column.length, ...cells.map((line) => line[index]?.length ?? 0)),
  )
  const line = (words: readonly string[]) =>
    words
      .map((word, index) => word.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd() + '\n'
  output.out(paint(output, 'bold', line(columns.map(title))))
  for (const words of cells) output.out(line(words))
}

/** One thing: a line for each of its keys, those of objects below theirs. */
export function printRecord(output: Output, record: Row, indent = ''): void {
  const width = Math.max(0, ...Object.keys(record).map((key) => title(key).length))
  for (const [key, value] of Object.entries(record)) {
    const label = `${indent}${paint(output, 'dim', title(key).padEnd(width))}`
    if (isRecord(value) && Object.keys(value).length > 0) {
      output.out(`${label}\n`)
      printRecord(output, value, `${indent}  `)
    } else output.out(`${label}  ${cell(value)}\n`)
  }
}

const signs: Readonly<Record<Change['action'], readonly [string, Style]>> = {
  same: ['=', 'dim'],
  create: ['+', 'green'],
  change: ['~', 'yellow'],
  remove: ['-', 'red'],
  run: ['>', 'cyan'],
  adopt: ['!', 'cyan'],
}

/** The changes of a job, a line a step, with its diff below. */
export function printChanges(output: Output, changes: readonly Change[]): void {
  for (const { action, step, diff } of changes) {
    const [sign, style] = signs[action]
    output.out(paint(output, style, `${sign} ${plain(step)}`) + '\n')
    if (diff !== null)
      output.out(
        `${diff
          .split('\n')
          .map((line) => `    ${plain(line)}`)
          .join('\n')}\n`,
      )
  }
}

export function printProblem(output: Output, error: WcpError): void {
  output.err(`${paint(output, 'red', 'error')}: ${plain(error.message)}\n`)
  for (const { field, problem, accepted } of error.fields) {
    output.err(
      `  ${paint(output, 'bold', plain(field))}: ${plain(problem)}${accepted === undefined ? '' : `; accepted: ${plain(accepted)}`}\n`,
    )
  }
  output.err(`${paint(output, 'dim', error.help)}\n`)
}

/** `linuxUser` and `linux_user` → `linux user`. */
function title(key: string): string {
  return key
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replaceAll('_', ' ')
    .toLowerCase()
}

function cell(value: unknown): string {
  if (value === null || value === undefined || value === '') return '-'
  if (Array.isArray(value)) return value.length === 0 ? '-' : value.map(cell).join(', ')
  if (typeof value === 'object') return plain(JSON.stringify(value))
  return plain(String(value))
}

/** A terminal obeys control characters; what comes from people and programs is printed without them (C31). */
export function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '\uFFFD')
}

function isRecord(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
