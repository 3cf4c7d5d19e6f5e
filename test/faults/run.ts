/**
 * `npm run test:faults [-- --all] [group …]`: breaks the product in every way that is known here, prints a table of faults,
 * cases and outcomes, and ends with `N passed, N failed`. Without `--all` it runs a sample that changes by commit; with it
 * everything, going on where an interrupted whole run of the same sources stopped.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { hosting, program, root } from '../support/requirements.ts'
import { type Row, readRows } from './rows.ts'

interface Group {
  readonly name: string
  readonly summary: string
  /** Run by Node from the top of the repository; a row for each fault through `rows.ts`, exit code 0 when all held. */
  readonly argv: readonly string[]
  /** What is missing here, with the remedy. */
  missing(): string | undefined
}

const vitest = (project: string) => ['node_modules/vitest/vitest.mjs', 'run', '--project', project]

const groups: readonly Group[] = [
  { name: 'faults', summary: 'F01-F34, one test each', argv: vitest('faults'), missing: hosting },
  {
    name: 'crash',
    summary: 'each system call of each job killed and failed',
    argv: ['test/faults/crash-main.ts'],
    missing: () => hosting() ?? program('strace', 'strace'),
  },
  {
    name: 'kills',
    summary: 'the agent killed at random under load',
    argv: ['test/faults/kills-main.ts'],
    missing: hosting,
  },
  {
    name: 'server',
    summary: 'those that need a whole server with systemd',
    argv: vitest('server-faults'),
    missing: root,
  },
  { name: 'power', summary: 'power cuts of a whole server', argv: ['test/faults/power-main.ts'], missing: root },
]

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { all: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
})

function main(): number {
  const unknown = positionals.find((name) => !groups.some((group) => group.name === name))
  if (values.help || unknown !== undefined) {
    if (unknown !== undefined) console.error(`no group "${unknown}"`)
    for (const { name, summary } of groups) console.error(`${name.padEnd(10)} ${summary}`)
    return unknown === undefined ? 0 : 2
  }
  const chosen = positionals.length === 0 ? groups : groups.filter(({ name }) => positionals.includes(name))
  const directory = mkdtempSync(join(tmpdir(), 'wcp-faults-'))
  try {
    return print(chosen.flatMap((group) => runGroup(group, join(directory, `${group.name}.jsonl`))))
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** A group that fails without a row that says so is a failure of its own, and so is one without any row. */
function runGroup({ name, argv, missing }: Group, rowsFile: string): readonly Row[] {
  const lacks = missing()
  if (lacks !== undefined) {
    const isRequired = ['all', 'faults'].includes(process.env.WCP_REQUIRED_TESTS ?? '')
    return [{ fault: name, name: 'not run', cases: 0, failed: isRequired ? 1 : 0, outcome: lacks }]
  }
  const { status } = spawnSync(process.execPath, argv, {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      ...process.env,
      WCP_FAULT_ROWS: rowsFile,
      WCP_FAULTS: values.all ? 'all' : 'sample',
      WCP_FAULT_SEED: commit(),
    },
  })
  const rows = readRows(rowsFile)
  const isTold = rows.some(({ failed }) => failed > 0)
  if (status === 0 && rows.length > 0) return rows
  if (isTold) return rows
  const outcome = rows.length === 0 ? 'it reported nothing' : 'it failed outside of the faults that it reported'
  return [...rows, { fault: name, name: 'the group itself', cases: 1, failed: 1, outcome }]
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' }).trim()
  } catch {
    return '1' // an unpacked archive: the sample is the same each time
  }
}

function print(rows: readonly Row[]): number {
  const table = rows.map(({ fault, name, cases, failed, outcome }) => ({
    fault: `${fault} ${name}`,
    cases: String(cases),
    outcome: failed === 0 ? outcome : `FAILED ${failed}: ${outcome}`,
  }))
  const width = Math.max(5, ...table.map(({ fault }) => fault.length))
  console.log(`${'fault'.padEnd(width)} | ${'cases'.padStart(6)} | outcome`)
  for (const { fault, cases, outcome } of table) {
    console.log(`${fault.padEnd(width)} | ${cases.padStart(6)} | ${outcome}`)
  }
  const failed = rows.reduce((sum, row) => sum + row.failed, 0)
  const passed = rows.reduce((sum, row) => sum + Math.max(0, row.cases - row.failed), 0)
  console.log(`${passed} passed, ${failed} failed`)
  return failed === 0 && passed > 0 ? 0 : 1
}

process.exitCode = main()
