/**
 * Groups of harnesses that report rows (`../faults/rows.ts`), run one after the other or two at a time: a table of all rows, and
 * `N passed, N failed` at the end, which counts rows, however many cases each has. Shared by `npm run test:faults` and `npm run test:security`.
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Row, readRows } from '../faults/rows.ts'
import { nodeApart } from './apart.ts'

export interface Group {
  readonly name: string
  readonly summary: string
  /** Run by Node from the top of the repository; rows through `rows.ts`, exit code 0 when all held. */
  readonly argv: readonly string[]
  /** Neighbours in the list that have the same word here run at the same time; what each printed comes whole when it has ended. */
  readonly beside?: string
  /** With network and processes of its own. */
  readonly isApart?: true
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
export async function runSuite(suite: Suite): Promise<number> {
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
    const rows: Row[] = []
    for (const together of inTurn(chosen)) {
      const rowsOf = (group: Group) =>
        runGroup(suite, group, join(directory, `${group.name}.jsonl`), values.all, together.length > 1)
      rows.push(...(await Promise.all(together.map(rowsOf))).flat())
    }
    return print(suite, rows)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** What runs at the same time, in turn. */
function inTurn(groups: readonly Group[]): readonly (readonly Group[])[] {
  const turns: Group[][] = []
  for (const group of groups) {
    const last = turns.at(-1)
    if (group.beside !== undefined && last?.[0]?.beside === group.beside) last.push(group)
    else turns.push([group])
  }
  return turns
}

/** A group that fails without a row that says so is a failure of its own, and so is one without any row. */
async function runGroup(
  suite: Suite,
  { name, argv, missing, isApart }: Group,
  rowsFile: string,
  isWhole: boolean,
  isBeside: boolean,
): Promise<readonly Row[]> {
  const lacks = missing()
  if (lacks !== undefined) {
    const isRequired = ['all', suite.name].includes(process.env.WCP_REQUIRED_TESTS ?? '')
    return [{ fault: name, name: 'not run', cases: 0, failed: isRequired ? 1 : 0, outcome: lacks }]
  }
  const status = await run(
    isApart ? [nodeApart.file, ...nodeApart.words, ...argv] : [process.execPath, ...argv],
    {
      ...process.env,
      WCP_FAULT_ROWS: rowsFile,
      WCP_FAULTS: isWhole ? 'all' : 'sample',
      WCP_FAULT_SEED: commit(),
    },
    isBeside,
  )
  const rows = readRows(rowsFile)
  const isTold = rows.some(({ failed }) => failed > 0)
  if (status === 0 && rows.length > 0) return rows
  if (isTold) return rows
  const outcome = rows.length === 0 ? 'it reported nothing' : 'it failed outside of the rows that it reported'
  return [...rows, { fault: name, name: 'the group itself', cases: 1, failed: 1, outcome }]
}

/** @param isKept what it prints is kept until it has ended @returns its exit code, null when a signal ended it */
async function run(
  [file = '', ...words]: readonly string[],
  env: NodeJS.ProcessEnv,
  isKept: boolean,
): Promise<number | null> {
  const output = isKept ? 'pipe' : 'inherit'
  const child = spawn(file, words, { stdio: ['ignore', output, output], env })
  const said: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => said.push(chunk))
  const [status] = await once(child, 'close')
  process.stdout.write(Buffer.concat(said))
  return status
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
