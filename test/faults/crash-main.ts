/**
 * Crash enumerator: for every job type and every side-effecting system call of the root side, the agent is killed at that
 * call, and the call is answered with each error that the kernel may give; then the oracle of `crash-case.ts`.
 *
 * `node test/faults/crash-main.ts [type …]`. The whole run keeps what was tried in `dist/crash-state.jsonl` and goes on
 * from there; the sample takes what its time allows of an order that changes by commit.
 */
import { createHash } from 'node:crypto'
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { jobTypes } from '../../src/resources/jobs.ts'
import { executable } from '../support/executable.ts'
import { type Case, casesAt, isShell, nameOf } from './crash-calls.ts'
import { type Reference, reference, runCase, type Verdict } from './crash-case.ts'
import { type CrashType, isCrashType } from './crash-jobs.ts'
import { CrashMachine } from './crash-machine.ts'
import { isWhole, row, seed } from './rows.ts'

const stateFile = 'dist/crash-state.jsonl'
const sampleMs = 130_000
/** Cases of a type before the next type has its turn: an interrupted run has tried something of each. */
const perTurn = isWhole ? 25 : 5

interface Tried {
  readonly type: CrashType
  readonly name: string
  readonly fault: string
  readonly verdict: Verdict
}

const wantedTypes = process.argv.slice(2)
const chosen = jobTypes.filter(isCrashType).filter((type) => wantedTypes.length === 0 || wantedTypes.includes(type))
const began = performance.now()
const build = createHash('sha256').update(readFileSync(executable())).digest('hex')
const before = isWhole ? resume() : []
const tried: Tried[] = [...before]
const shells: string[] = []
/** Job types whose unfaulted run was looked at. */
let looked = 0
const order = shuffled(chosen)
let isInterrupted = false
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => (isInterrupted = true))

const lanes = Math.min(2, availableParallelism())
await Promise.all(
  Array.from({ length: lanes }, (_, own) => lane(order.filter((_type, index) => index % lanes === own))),
)
report()

/** One machine and its own types, in turns. */
async function lane(types: readonly CrashType[]): Promise<void> {
  const machine = await CrashMachine.make()
  const works: Work[] = []
  try {
    for (const type of types) {
      if (!hasTime()) break
      works.push(await begin(machine, type))
      await turn(machine, works.at(-1))
    }
    while (hasTime() && works.some(({ todo }) => todo.length > 0)) for (const work of works) await turn(machine, work)
  } finally {
    await machine.dispose()
  }
}

interface Work {
  readonly type: CrashType
  readonly wanted: Reference
  readonly todo: Case[]
}

async function begin(machine: CrashMachine, type: CrashType): Promise<Work> {
  await machine.prepare(type)
  const wanted = await reference(machine, type)
  looked++
  shells.push(...wanted.programs.filter(isShell).map((program) => `${type} ran ${program}`))
  const all = casesAt(wanted.points)
  const done = new Set(before.filter((one) => one.type === type).map(({ name }) => name))
  const todo = shuffled(all.filter((one) => !done.has(nameOf(one))))
  say(`${type}: ${wanted.points.length} calls, ${all.length} cases, ${todo.length} to try`)
  return { type, wanted, todo }
}

async function turn(machine: CrashMachine, work: Work | undefined): Promise<void> {
  for (const fault of work?.todo.splice(0, perTurn) ?? []) {
    if (work === undefined || !hasTime()) return
    note(await tryOne(machine, work.type, fault, work.wanted))
  }
  say(`${work?.type}: ${work?.todo.length} left; ${tried.length} tried`)
}

async function tryOne(
  machine: CrashMachine,
  type: CrashType,
  fault: Case,
  wanted: Awaited<ReturnType<typeof reference>>,
) {
  const name = nameOf(fault)
  try {
    return { type, name, fault: fault.fault, verdict: await runCase(machine, type, fault, wanted) }
  } catch (error) {
    const wrong = [`the case could not be brought to its end: ${error instanceof Error ? error.message : error}`]
    return { type, name, fault: fault.fault, verdict: { outcome: 'undone' as const, wrong } }
  }
}

function note(one: Tried): void {
  tried.push(one)
  for (const what of one.verdict.wrong) say(`FAILED ${one.type} ${one.name}: ${what}`)
  if (isWhole) appendFileSync(stateFile, `${JSON.stringify(one)}\n`)
}

/** What was tried of the same executable; failures are tried again. */
function resume(): readonly Tried[] {
  const [first = '', ...lines] = existsSync(stateFile) ? readFileSync(stateFile, 'utf8').split('\n') : []
  if (first === build) {
    return lines
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Tried)
      .filter(({ verdict }) => verdict.wrong.length === 0)
  }
  writeFileSync(stateFile, `${build}\n`)
  return []
}

function report(): void {
  for (const [type, cases = []] of Object.entries(Object.groupBy(tried, ({ type }) => type))) {
    for (const kind of ['killed', 'errors'] as const) {
      const some = cases.filter(({ fault }) => (fault === 'SIGKILL') === (kind === 'killed'))
      if (some.length === 0) continue
      const failed = some.filter(({ verdict }) => verdict.wrong.length > 0)
      const outcomes = Object.entries(Object.groupBy(some, ({ verdict }) => verdict.outcome))
      const told = outcomes.map(([outcome, of = []]) => `${of.length} ${outcome}`).join(', ')
      row({ fault: `crash ${type}`, name: kind, cases: some.length, failed: failed.length, outcome: told })
    }
  }
  const outcome = shells.length === 0 ? 'none was started by the root side' : shells.join(', ')
  row({ fault: 'crash', name: 'shells', cases: looked, failed: shells.length, outcome })
  say(`${tried.length} cases in ${Math.round((performance.now() - began) / 1000)} s`)
  if (shells.length > 0 || tried.some(({ verdict }) => verdict.wrong.length > 0)) process.exitCode = 1
}

function hasTime(): boolean {
  return !isInterrupted && (isWhole || performance.now() - began < sampleMs)
}

function say(text: string): void {
  console.error(`[crash ${Math.round((performance.now() - began) / 1000)} s] ${text}`)
}

/** Each place gets a number by its index and the seed (mulberry32), so that a commit always gives the same order. */
function shuffled<T>(all: readonly T[]): T[] {
  const keys = new Map(all.map((one, index) => [one, random(seed + index)]))
  return all.toSorted((a, b) => (keys.get(a) ?? 0) - (keys.get(b) ?? 0))
}

function random(number: number): number {
  let t = (number + 0x6d2b79f5) | 0
  t = Math.imul(t ^ (t >>> 15), t | 1)
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
  return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
}
