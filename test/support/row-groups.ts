/**
 * Groups of harnesses that report rows (`../faults/rows.ts`), run one after the other: a table of all rows, and
 * `N passed, N failed` at the end, which counts rows, however many cases each has. Shared by `npm run test:faults` and `npm run test:security`.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Row, readRows } from '../faults/rows.ts'

export interface Group {
  readonly name: string
  readonly summary: string
  /** Run by Node from the top of the repository; rows through `rows.ts`, exit code 0 when all held. */
  readonly argv: readonly string[]
  /** What is missing here, with the remedy. */
  missing(): string | undefined
}

export interface Suite {
  /** What `WCP_REQUIRED_TESTS` calls it. */
  readonly name: string
  /** Head of the table's first column. */
  readonly column: string
  readonly groups: readonly Group[]
}

export const vitest = (project: string) => ['node_modules/vitest/vitest.mjs', 'run', '--project', project]

/** Reads `[--all] [group …]` from the command line. @returns the exit code */
export function runSuite(suite: Suite): number {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { all: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
  })
  const { groups } = suite
  const unknown = positionals.find((name) => !groups.some((group) => group.name === name))
  if (values.help || unknown !== undefined) {
    if (unknown !== undefined) console.error(`no group "${unknown}"`)
    for (const { name, summary } of groups) console.error(`${name.padEnd(10)} ${summary}`)
    return unknown === undefined ? 0 : 2
  }
  const chosen = positionals.length === 0 ? groups : groups.filter(({ name }) => positionals.includes(name))
  const directory = mkdtempSync(join(tmpdir(), `wcp-${suite.name}-`))
  try {
    const rowsOf = (group: Group) => runGroup(suite, group, join(directory, `${group.name}.jsonl`), values.all)
    return print(suite, chosen.flatMap(rowsOf))
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** A group that fails without a row that says so is a failure of its own, and so is one without any row. */
function runGroup(suite: Suite, { name, argv, missing }: Group, rowsFile: string, isWhole: boolean): readonly Row[] {
  const lacks = missing()
  if (lacks !== undefined) {
    const isRequired = ['all', suite.name].includes(process.env.WCP_REQUIRED_TESTS ?? '')
    return [{ fault: name, name: 'not run', cases: 0, failed: isRequired ? 1 : 0, outcome: lacks }]
  }
  const { status } = spawnSync(process.execPath, argv, {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      ...process.env,
      WCP_FAULT_ROWS: rowsFile,
      WCP_FAULTS: isWhole ? 'all' : 'sample',
      WCP_FAULT_SEED: commit(),
    },
  })
  const rows = readRows(rowsFile)
  const isTold = rows.some(({ failed }) => failed > 0)
  if (status === 0 && rows.length > 0) return rows
  if (isTold) return rows
  const outcome = rows.length === 0 ? 'it reported nothing' : 'it failed outside of the rows that it reported'
  return [...rows, { fault: name, name: 'the group itself', cases: 1, failed: 1, outcome }]
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' }).trim()
  } catch {
    return '1' // an unpacked archive: the sample is the same each time
  }
}

function print({ column }: Suite, rows: readonly Row[]): number {
  const table = rows.map(({ fault, name, cases, failed, outcome }) => ({
    what: `${fault} ${name}`,
    cases: String(cases),
    outcome: failed === 0 ? outcome : `FAILED ${failed}: ${outcome}`,
  }))
  const width = Math.max(column.length, ...table.map(({ what }) => what.length))
  console.log(`${column.padEnd(width)} | ${'cases'.padStart(6)} | outcome`)
  for (const { what, cases, outcome } of table) {
    console.log(`${what.padEnd(width)} | ${cases.padStart(6)} | ${outcome}`)
  }
  const failed = rows.filter((row) => row.failed > 0).length
  const passed = rows.filter((row) => row.failed === 0 && row.cases > 0).length
  console.log(`${passed} passed, ${failed} failed`)
  return failed === 0 && passed > 0 ? 0 : 1
}
