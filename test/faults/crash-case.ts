/** One case: put back, start, ask for the job with the fault at its call, start again if the agent is gone, and judge. */
import { readFileSync, rmSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { attach, type Case, calls, injectionArgv, readTrace, starting, type Traced, threadsOf } from './crash-calls.ts'
import { type CrashType, crashJobs } from './crash-jobs.ts'
import { type CrashMachine, neighbour } from './crash-machine.ts'
import { disagreements, readHistory, worldText } from './crash-world.ts'
import { violations } from './history.ts'
import { unexpectedLines } from './log-lines.ts'

/** How the unfaulted job finds and leaves the machine. */
export interface Reference extends Traced {
  readonly before: string
  readonly after: string
}

export interface Verdict {
  /** `resumed`: killed and ended well after the next start; `undone`: failed and nothing left of it; `survived`: ended well in spite of the fault. */
  readonly outcome: 'resumed' | 'undone' | 'survived' | 'not reached'
  /** What did not hold; none when all did. */
  readonly wrong: readonly string[]
}

/** The job without a fault, under strace. */
export async function reference(machine: CrashMachine, type: CrashType): Promise<Reference> {
  const { product } = machine
  await machine.putBack(type)
  await product.start()
  const before = worldText(product.places)
  await machine.wake(type)
  const threads = threadsOf(product.pids.agent)
  const file = `${product.root}.trace`
  const what = [...calls, ...starting].join(',')
  const strace = await attach(['-f', '-y', '-o', file, '-e', `trace=${what}`, '-p', String(product.pids.agent)])
  const job = await machine.submit(type)
  const open = await machine.untilSettled()
  await strace.end()
  const state = job === undefined ? 'refused' : (await machine.job(job)).state
  if (open.length > 0 || state !== 'succeeded') throw new Error(`${type} without a fault is ${state}`)
  const text = readFileSync(file, 'latin1')
  rmSync(file)
  return { before, after: worldText(product.places), ...readTrace(text, threads) }
}

export async function runCase(
  machine: CrashMachine,
  type: CrashType,
  fault: Case,
  wanted: Reference,
): Promise<Verdict> {
  const { product } = machine
  await machine.putBack(type)
  const from = product.output.length
  await product.start()
  await machine.wake(type)
  const descriptors = machine.descriptors()
  const strace = await attach(injectionArgv(fault, product.pids.agent))
  const asked = await machine.submit(type)
  await untilEndedOrGone(machine)
  await strace.end()
  if (product.output.slice(from).includes(lastWords)) await product.ended()

  const isGone = !product.isRunning
  if (isGone) await product.start()
  const wrong: string[] = []
  const open = await machine.untilSettled()
  wrong.push(...open.map(({ id, state }) => `job ${id} is ${state} for ever`))
  const first = asked === undefined ? undefined : await machine.job(asked)
  const isDone = first?.state === 'succeeded'
  const irreversible = crashJobs[type].request === 'purge'
  if (isDone) wrong.push(...difference('what was told as done', wanted.after, worldText(product.places)))
  else if (!irreversible)
    wrong.push(...difference('what was told as failed', onMachine(wanted.before), onMachine(worldText(product.places))))
  if (first?.failure && !/^[a-z_]+$/.test(first.failure.code))
    wrong.push(`failure without a code: ${first.failure.code}`)

  if (!(isDone && irreversible)) {
    const again = await machine.submit(type)
    wrong.push(
      ...(await machine.untilSettled()).map(({ id, state }) => `the job sent again, ${id}, is ${state} for ever`),
    )
    const second = again === undefined ? undefined : await machine.job(again)
    if (second?.state === 'failed') wrong.push(`the request sent again failed: ${second.failure?.message}`)
    wrong.push(...difference('after the request was sent again', wanted.after, worldText(product.places)))
  }
  if (!isGone) wrong.push(...(await leaked(descriptors, machine)))
  wrong.push(...(await begunTwice(machine)))
  wrong.push(...(await seenFromOutside(machine)))
  const output = product.output.slice(from)
  wrong.push(...unexpectedLines(output, fault.fault))
  await product.stop()
  wrong.push(...machine.strayProcesses().map((one) => `left behind: ${one}`))
  wrong.push(...disagreements(product.places))
  wrong.push(...violations(readHistory(product.places, machine.client, output)))
  return { outcome: outcomeOf({ isGone, isDone, output }), wrong }
}

function outcomeOf({
  isGone,
  isDone,
  output,
}: {
  isGone: boolean
  isDone: boolean
  output: string
}): Verdict['outcome'] {
  if (!isDone) return 'undone'
  if (isGone) return 'resumed'
  return output.includes('"step failed"') ? 'survived' : 'not reached'
}

/** The jobs have ended, or the agent has, by the fault or by itself; the panel ends with it. */
async function untilEndedOrGone(machine: CrashMachine): Promise<void> {
  const deadline = performance.now() + 60_000
  while (machine.product.isRunning && performance.now() < deadline) {
    const open = await machine.openJobs().catch(() => undefined)
    if (open?.length === 0) return
    await pause(25)
  }
}

/** What the agent says before it ends by itself. */
const lastWords = '"journal cannot be used, nothing more will be changed"'

/** A tenant's command begins once for its job, whatever happens to the agent, and has begun when it is told as done. */
async function begunTwice(machine: CrashMachine): Promise<readonly string[]> {
  const jobs = await machine.runs()
  const done = jobs.filter(({ state }) => state === 'succeeded').length
  const begun = machine.begun()
  return done <= begun && begun <= jobs.length
    ? []
    : [`commands began ${begun} times, for ${jobs.length} jobs of which ${done} are done`]
}

async function seenFromOutside({ product }: CrashMachine): Promise<readonly string[]> {
  const status = await product.visit(neighbour)
  const { items } = (await product.call('GET', '/health/drift')) as { items: readonly { resource: string }[] }
  const audit = (await product.call('GET', '/audit/verify')) as { problems: readonly { message: string }[] }
  return [
    ...(status === 200 ? [] : [`the neighbour's site answered ${status}`]),
    ...items.map(({ resource }) => `drift of ${resource}`),
    ...audit.problems.map(({ message }) => `audit: ${message}`),
  ]
}

/** The part of the text that is the machine's: the panel keeps a failed creation as what it is. */
function onMachine(world: string): string {
  return world
    .split('\n')
    .filter((line) => !line.startsWith('panel '))
    .join('\n')
}

function difference(when: string, wanted: string, found: string): readonly string[] {
  if (wanted === found) return []
  const [should, is] = [new Set(wanted.split('\n')), new Set(found.split('\n'))]
  const missing = [...should].filter((line) => !is.has(line)).map((line) => `-${line}`)
  const extra = [...is].filter((line) => !should.has(line)).map((line) => `+${line}`)
  return [`${when}: ${[...missing, ...extra].slice(0, 8).join('; ')}`]
}

/** What is open for a moment only, as files of /proc are, is no leak. */
async function leaked(before: readonly string[], machine: CrashMachine): Promise<readonly string[]> {
  const count = (all: readonly string[], one: string) => all.filter((name) => name === one).length
  for (let tries = 20; ; tries--) {
    const after = machine.descriptors()
    const more = [...new Set(after)].filter(
      (name) => !/^(socket|pipe)/.test(name) && count(after, name) > count(before, name),
    )
    if (more.length === 0 || tries === 0) return more.map((name) => `descriptor left open: ${name}`)
    await pause(50)
  }
}
