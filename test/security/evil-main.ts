/**
 * Group `evil-panel` (C38): the agent of a running product gets frames of a panel in wrong hands, by the seed of the commit.
 * 20,000 of them; with `--all` a million, in rounds that are kept in `dist/evil-panel.json` for this executable, so that an
 * interrupted run goes on. `node test/security/evil-main.ts --frames N --seed N` for others.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { seed as commitSeed, isWhole, row } from '../faults/rows.ts'
import { siteOf, World } from '../faults/world.ts'
import { executable } from '../support/executable.ts'
import { processes } from '../support/processes.ts'
import type { EvilOrder, EvilReport } from './evil-process.ts'
import { executions, shellsOf, tracedCommand } from './executed.ts'
import { MachineWatch } from './machine-watch.ts'
import { Tally } from './tally.ts'

const { values } = parseArgs({ options: { frames: { type: 'string' }, seed: { type: 'string' } } })
const wanted = Number(values.frames ?? (isWhole ? 1_000_000 : 20_000))
const framesOfRound = 50_000
const deletesPerHour = 7
/** What the agent's memory may grow by in a round: its queues are bounded, and garbage comes before it goes. */
const mostGrowthMb = 150
const progressFile = 'dist/evil-panel.json'

/** What the product starts on its own; the last are its own executable. */
const knownPrograms =
  /^(\/usr\/s?bin\/(nginx|php-fpm[\d.]+|bwrap|setpriv|prlimit|openssl)|\/bin\/true|\/proc\/self\/(exe|fd\/\d+)|.*\/wcpd)$/

interface Progress {
  readonly executable: string
  readonly frames: number
}

/** What such a panel brings about in the log, and the words say so. */
const explained = [
  /^service ended$/,
  /^panel broke the protocol; connection closed$/,
  /^message does not fit the grammar$/,
  /^message is not for this phase$/,
  /^job does not fit its contract$/,
  /^plan does not fit its contract$/,
  /^job contradicts one that was accepted$/,
  /^brake holds a job$/,
  /^job could not be prepared$/,
  /^a job failed$/,
  /^own files (could not be put back or adopted|stay as they are: )/,
  /^the agent tells of an unknown job$/,
  /^the line to the agent (failed|was closed)$/,
  /^the agent is gone$/,
  /^a job has stalled$/,
  // The panel that is started while its socket's place is fought for.
  /EADDRINUSE/,
  /^(\s|[{}]|Node\.js v|node:)/,
]

async function main(): Promise<void> {
  const before = isWhole ? readProgress() : 0
  for (let done = before; done < wanted; done += framesOfRound) {
    const frames = Math.min(framesOfRound, wanted - done)
    await round(frames, Number(values.seed ?? commitSeed) + done)
    if (isWhole) keepProgress(done + frames)
  }
  if (before >= wanted)
    row({
      fault: 'evil-panel',
      name: 'raw frames',
      cases: before,
      failed: 0,
      outcome: 'all held, in an earlier run of this executable',
    })
}

async function round(frames: number, seed: number): Promise<void> {
  const trace = `/var/tmp/wcp-evil-${process.pid}`
  const world = await World.open({
    command: tracedCommand(trace, executable()),
    config: `deletes_per_hour: ${deletesPerHour}\n`,
  })
  const tally = new Tally()
  try {
    const facts = await attackOnce(world, frames, seed, trace, tally)
    const outcome = tally.broken[0] ?? facts
    row({
      fault: 'C38',
      name: 'a panel in wrong hands speaks raw frames',
      cases: frames,
      failed: tally.broken.length,
      outcome,
    })
    if (tally.broken.length > 0) {
      process.exitCode = 1
      console.error(tally.broken.join('\n'))
    }
  } finally {
    await world.close()
    rmSync(trace, { force: true })
  }
}

async function attackOnce(world: World, frames: number, seed: number, trace: string, tally: Tally): Promise<string> {
  const { product } = world
  await world.createTenant('prey')
  await world.settled()
  const lines = () => readFileSync(trace, 'utf8').split('\n').filter(Boolean)
  const watch = MachineWatch.of({ world, product, explained })
  const { agent, panel } = product.pids
  const before = memoryMb(agent)
  let highest = before
  const timer = setInterval(() => (highest = Math.max(highest, memoryMb(agent))), 500)
  const order = {
    socket: product.places.agentSocket,
    panelPid: panel ?? -1,
    frames,
    seed,
    known: { prey: await facts(world, 'prey'), neighbour: await facts(world, 'neighbour') },
  }
  const logged = product.output.length
  const report = await evil(world, order).finally(() => clearInterval(timer))

  tally.same(report.tolerated, [], 'bad frames were tolerated')
  tally.same(report.strange, 0, 'the agent said what is no message')
  tally.held(product.isRunning && product.pids.agent === agent, 'the agent has ended')
  tally.held(highest - before <= mostGrowthMb, `the agent grew from ${before} to ${highest} MB`)
  tally.held(product.output.length - logged <= 2_000_000, `the log grew by ${product.output.length - logged} bytes`)
  tally.same(shellsOf(lines()), [], 'a shell ran')
  const programs = new Set(executions(lines()).map(({ program }) => program))
  const others = [...programs].filter((program) => !knownPrograms.test(program))
  tally.same(others, [], 'other programs ran')
  for (const problem of recordsOf(product.places.userdb)) tally.held(false, problem)

  await product.until('panel and agent are connected again', () => product.isConnected())
  await world.settled()
  await watch.verify(tally)
  const deletes = acceptedDeletes(product.places.auditLog)
  tally.held(deletes <= deletesPerHour, `${deletes} deletions were accepted in an hour`)
  await world.createTenant('afterwards')
  await world.settled()
  tally.same(await product.visit(siteOf('afterwards')), 200, 'a new tenant is not served')
  tally.same(
    await product.call('GET', '/audit/verify').then((verdict) => (verdict as { ok: boolean }).ok),
    true,
    'the audit trail is not whole',
  )
  const kinds = Object.entries(report.kinds).map(([kind, count]) => `${kind} ${count}`)
  return `agent alive, +${highest - before} MB, ${report.connections} connections, ${deletes} deletions accepted (${kinds.join(', ')})`
}

/** Runs it as the panel's uid; the panel that is started meanwhile is held as whoever has that uid could. */
async function evil({ product }: World, order: EvilOrder): Promise<EvilReport> {
  const { uid, gid } = statSync(product.places.panelRun)
  const child = spawn(process.execPath, ['test/security/evil-process.ts'], {
    uid,
    gid,
    env: {},
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  child.stdin.end(`${JSON.stringify(order)}\n`)
  const { agent } = product.pids
  const held = new Set<number>()
  const watcher = setInterval(() => {
    const panels = processes().filter(({ parent, words }) => parent === agent && words.includes('panel'))
    for (const { pid } of panels) {
      if (pid === order.panelPid || held.has(pid)) continue
      held.add(pid)
      process.kill(pid, 'SIGSTOP')
    }
  }, 20)
  let report: EvilReport | undefined
  let shown = 0
  for await (const line of createInterface({ input: child.stdout })) {
    const said: { frames?: number; report?: EvilReport; panelIsBetween?: true } = JSON.parse(line)
    report ??= said.report
    if (said.panelIsBetween) end(held)
    if (said.frames !== undefined && said.frames >= shown + 5000) {
      shown = said.frames
      console.error(`${said.frames} of ${order.frames} frames`)
    }
  }
  clearInterval(watcher)
  if (child.exitCode === null) await once(child, 'exit')
  end(held)
  if (report === undefined)
    throw new Error(`the evil panel ended with code ${child.exitCode}; printed last:\n${product.output.slice(-2000)}`)
  return report
}

function end(held: Set<number>): void {
  for (const pid of held) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // it has ended by itself
    }
  }
  held.clear()
}

async function facts({ product }: World, name: string) {
  const { id: tenant } = (await product.call('GET', `/tenants/${name}`)) as { id: string }
  const { id: domain } = (await product.call('GET', `/domains/${siteOf(name)}`)) as { id: string }
  return { tenant, domain, name, site: siteOf(name) }
}

function memoryMb(pid: number): number {
  const kb = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Math.round(Number(kb) / 1024)
}

/** Accounts that no tenant may have. */
function recordsOf(userdb: string): readonly string[] {
  const users = readdirSync(userdb).filter((file) => /^[a-z].*\.user$/.test(file))
  return users.flatMap((file) => {
    const { uid, gid, userName } = JSON.parse(readFileSync(`${userdb}/${file}`, 'utf8')) as {
      uid: number
      gid: number
      userName: string
    }
    const isTenant = uid >= 20_000 && uid <= 59_999 && gid === uid && /^[a-z][a-z0-9]{2,23}$/.test(userName)
    return isTenant ? [] : [`"${file}" has uid ${uid} and gid ${gid}`]
  })
}

function acceptedDeletes(auditLog: string): number {
  const braked = /"event":"job\.accepted".*"type":"(tenant|domain)\.(delete|purge)"/
  return readFileSync(auditLog, 'utf8')
    .split('\n')
    .filter((line) => braked.test(line)).length
}

function readProgress(): number {
  if (!existsSync(progressFile)) return 0
  const kept: Progress = JSON.parse(readFileSync(progressFile, 'utf8'))
  return kept.executable === identity() ? kept.frames : 0
}

function keepProgress(frames: number): void {
  mkdirSync('dist', { recursive: true })
  writeFileSync(progressFile, JSON.stringify({ executable: identity(), frames } satisfies Progress))
}

function identity(): string {
  const { size, mtimeMs } = statSync(executable())
  return `${size} ${mtimeMs}`
}

await main()
