/**
 * `npm test` and `npm run test:e2e`: runs the groups of tests that this machine can run, names those it cannot and why, and
 * ends with the names of the failed tests and `N passed, N failed`. A group named in WCP_REQUIRED_TESTS (`all`, or names with commas) must run: missing parts
 * and skipped tests then count as failures.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { hosting, nameServer, program, root } from './support/requirements.ts'

interface Group {
  readonly name: string
  /** On two processors without other work. */
  readonly minutes: number
  /** What is missing here, with the remedy; undefined when the group can run. */
  readonly missing?: () => string | undefined
  /** Its tests wait for real servers: a file that failed is run once more, and said to have been. */
  readonly startsServers?: true
}

interface Count {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  /** What failed, each by name, with the first line of why. */
  readonly failures: readonly string[]
}

const quick: readonly Group[] = [
  { name: 'unit', minutes: 1 },
  { name: 'architecture', minutes: 1 },
  { name: 'operations', minutes: 3, startsServers: true },
  { name: 'store', minutes: 3, startsServers: true, missing: () => program('postgres', 'postgresql') },
  { name: 'build', minutes: 1 },
  { name: 'provisioners', minutes: 3, startsServers: true, missing: root },
  {
    name: 'integration',
    minutes: 4,
    startsServers: true,
    missing: () => hosting() ?? nameServer(),
  },
  {
    name: 'browser',
    minutes: 6,
    startsServers: true,
    missing: () => program('chromium', 'chromium') ?? program('lynx', 'lynx'),
  },
]
const whole: readonly Group[] = [{ name: 'e2e', minutes: 30, startsServers: true, missing: root }]

function isRequired(group: Group): boolean {
  const required = (process.env.WCP_REQUIRED_TESTS ?? '').split(',')
  return required.includes('all') || required.includes(group.name)
}

function runStatic(): Count {
  const checks = [
    ['format and lint', 'node_modules/.bin/biome', ['check', '.']],
    ['types', 'node_modules/.bin/tsc', ['--noEmit']],
  ] as const
  const results = checks.map(([what, file, words]) => {
    const ok = spawnSync(file, words, { stdio: ['ignore', 'inherit', 'inherit'] }).status === 0
    console.log(`${ok ? 'ok' : 'FAILED'}: ${what}`)
    return { what, ok }
  })
  const failures = results.filter(({ ok }) => !ok).map(({ what }) => what)
  return { passed: results.length - failures.length, failed: failures.length, skipped: 0, failures }
}

/** @param place such as `3 of 9:` */
function runGroup(group: Group, place: string): Count {
  const reason = group.missing?.()
  if (reason !== undefined) {
    console.log(`not run: ${group.name}: ${reason}`)
    const failures = isRequired(group) ? [`${group.name}: not run: ${reason}`] : []
    return { passed: 0, failed: failures.length, skipped: 1, failures }
  }
  const started = Date.now()
  console.log(`${place} ${group.name}, about ${group.minutes} min; load ${load()}`)
  const first = runFiles(group, [])
  const again = group.startsServers === true ? first.failedFiles : []
  const count = again.length === 0 ? first.count : afterRepeat(first, runFiles(group, again), again)
  const seconds = Math.round((Date.now() - started) / 1000)
  console.log(`${group.name}: ${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped in ${seconds} s`)
  if (!isRequired(group) || count.skipped === 0) return count
  const failures = [...count.failures, `${group.name}: ${count.skipped} skipped`]
  return { ...count, failed: count.failed + count.skipped, failures }
}

/** Time of each file that ran. */
const slowest: { file: string; ms: number }[] = []

/** Of the last 1, 5 and 15 minutes (proc_loadavg(5)). */
function load(): string {
  return loadavg()
    .map((value) => value.toFixed(1))
    .join(' ')
}

interface Run {
  readonly count: Count
  readonly failedFiles: readonly string[]
  readonly passedInFailedFiles: number
}

function afterRepeat(first: Run, second: Run, files: readonly string[]): Count {
  console.log(`repeated once, because a real server was too slow or broke: ${files.join(', ')}`)
  const passed = first.count.passed - first.passedInFailedFiles + second.count.passed
  return { ...second.count, passed, skipped: first.count.skipped }
}

/** @param files below the project; none for all of the group. */
function runFiles(group: Group, files: readonly string[]): Run {
  const directory = mkdtempSync(join(tmpdir(), 'wcp-test-'))
  const report = join(directory, 'report.json')
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  const words = ['node_modules/vitest/vitest.mjs', 'run', '--project', group.name, ...reporters, ...files]
  spawnSync(process.execPath, words, { stdio: ['ignore', 'inherit', 'inherit'] })
  const run = readReport(report)
  rmSync(directory, { recursive: true })
  return run
}

interface Report {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
  readonly success: boolean
  readonly testResults: readonly {
    readonly name: string
    readonly status: string
    readonly message: string
    /** Milliseconds since 1970. */
    readonly startTime: number
    readonly endTime: number
    readonly assertionResults: readonly {
      readonly status: string
      readonly fullName: string
      readonly failureMessages: readonly string[]
    }[]
  }[]
}

/** A run that left no report, or in which a file could not be loaded, has failed even if no test did. */
function readReport(file: string): Run {
  if (!existsSync(file)) {
    const count = { passed: 0, failed: 1, skipped: 0, failures: ['the test runner left no report'] }
    return { count, failedFiles: [], passedInFailedFiles: 0 }
  }
  const report: Report = JSON.parse(readFileSync(file, 'utf8'))
  const failed = report.numFailedTests === 0 && !report.success ? 1 : report.numFailedTests
  const broken = report.testResults.filter(({ status }) => status !== 'passed')
  slowest.push(
    ...report.testResults.map(({ name, startTime, endTime }) => ({
      file: relative(process.cwd(), name),
      ms: endTime - startTime,
    })),
  )
  const passedOf = (tests: Report['testResults'][number]['assertionResults']) =>
    tests.filter(({ status }) => status === 'passed').length
  return {
    count: {
      passed: report.numPassedTests,
      failed,
      skipped: report.numPendingTests,
      failures: broken.flatMap(failuresOf),
    },
    failedFiles: broken.map(({ name }) => relative(process.cwd(), name)),
    passedInFailedFiles: broken.reduce((sum, { assertionResults }) => sum + passedOf(assertionResults), 0),
  }
}

function failuresOf({ name, message, assertionResults }: Report['testResults'][number]): string[] {
  const failed = assertionResults.filter(({ status }) => status === 'failed')
  const file = relative(process.cwd(), name)
  if (failed.length === 0) return [`${file}: ${firstLine(message)}`]
  return failed.map(({ fullName, failureMessages }) => `${file}: ${fullName}: ${firstLine(failureMessages[0] ?? '')}`)
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]?.slice(0, 200) ?? ''
}

function main(names: readonly string[]): void {
  const known = [...quick, ...whole]
  const unknown = names.find((name) => !known.some((group) => group.name === name))
  if (unknown !== undefined)
    throw new Error(`no group "${unknown}"; there are ${known.map((group) => group.name).join(', ')}`)
  const groups = names.length === 0 ? quick : known.filter((group) => names.includes(group.name))
  const counts = [
    ...(names.length === 0 ? [runStatic()] : []),
    ...groups.map((group, index) => runGroup(group, `${index + 1} of ${groups.length}:`)),
  ]
  const passed = counts.reduce((sum, count) => sum + count.passed, 0)
  const failed = counts.reduce((sum, count) => sum + count.failed, 0)
  for (const { file, ms } of slowest.toSorted((one, other) => other.ms - one.ms).slice(0, 10))
    console.log(`slowest: ${(ms / 1000).toFixed(0).padStart(4)} s ${file}`)
  for (const failure of counts.flatMap(({ failures }) => failures)) console.log(`FAILED: ${failure}`)
  console.log(`${passed} passed, ${failed} failed`)
  process.exitCode = failed === 0 && passed > 0 ? 0 : 1
}

main(process.argv.slice(2))
