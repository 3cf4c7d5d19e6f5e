/**
 * The one scheduler of all cron jobs. It holds nothing in memory: the store says which jobs are due, and each look is a query
 * by an index. So the number of jobs that wait costs nothing, and a panel that was away goes on where it was.
 */
import { performance } from 'node:perf_hooks'
import type { Logger } from 'pino'
import type { Id } from '../../contract/values.ts'
import type { Db } from '../../store/database.ts'
import { newId } from '../../store/new-id.ts'
import { asPanel, type PanelContext } from '../as-panel.ts'
import type { Stores } from '../stores.ts'
import { ticker } from '../ticker.ts'
import { ClockWatch, decide, nextDue } from './due.ts'
import { beginRun } from './run.ts'
import type { Cron } from './schema.ts'
import type { DueCron } from './store.ts'

export interface CronSchedulerOptions {
  readonly db: Db
  readonly storesOf: (db: Db) => Stores
  readonly log: Logger
  readonly onQueued: () => void
  readonly tickMs?: number | undefined
  readonly now?: () => number
  /** Only goes forward. */
  readonly steady?: () => number
}

const atOnce = 100
/** In one look. */
const mostTurns = 100
const usualTickMs = 1000

export function cronScheduler(options: CronSchedulerOptions) {
  const { db, storesOf, log, onQueued, tickMs = usualTickMs } = options
  const { now = Date.now, steady = () => performance.now() } = options
  const clock = new ClockWatch()
  const iso = (ms: number | undefined) => (ms === undefined ? null : new Date(ms).toISOString())
  /** Everything is planned anew, from the job after this one on; null: it is done. After a start the clock may be another. */
  let replan: { readonly after: Id | null } | null = { after: null }
  let isStopping = false

  async function work(): Promise<void> {
    if (clock.wasSetBack(now(), steady())) replan = { after: null }
    await catchUp()
    await beginDue()
    await planAnew()
  }

  async function catchUp(): Promise<void> {
    const found = await storesOf(db).cronRuns.overtaken(atOnce)
    if (found.length === 0) return // mostly: a transaction would hold up others
    await inOne(async ({ cronRuns }) => {
      for (const run of found) await cronRuns.catchUp(run)
    })
  }

  /** The longest waiting first; those that are left are looked at right after. */
  async function beginDue(): Promise<void> {
    for (let turn = 0; turn < mostTurns; turn++) {
      const due = await storesOf(db).crons.due(atOnce)
      if (due.length === 0 || isStopping) return
      const queued = await inOne((context) => beginAll(context, due)).catch((err) => {
        log.error({ err }, 'runs of cron jobs could not be begun together')
        return beginEach(due)
      })
      if (queued > 0) onQueued()
      if (due.length < atOnce) return
    }
  }

  async function beginAll(context: PanelContext, due: readonly DueCron[]): Promise<number> {
    // cron jobs before tenants, and each in one order, as a run by hand has it: so nobody waits in a circle
    const busy = new Set<Id>()
    for (const id of due.map((cron) => cron.id).sort()) if (await context.cronRuns.isBusy(id)) busy.add(id)
    for (const tenant of [...new Set(due.map(({ tenantId }) => tenantId))].sort()) await context.tenants.lock(tenant)
    let queued = 0
    for (const cron of due) if (await begin(context, cron, busy.has(cron.id))) queued++
    return queued
  }

  /** One that cannot be begun holds up no other. */
  async function beginEach(due: readonly DueCron[]): Promise<number> {
    let queued = 0
    for (const cron of due)
      try {
        queued += await inOne((context) => beginAll(context, [cron]))
      } catch (err) {
        log.error({ err, cron: cron.id }, 'a run of a cron job could not be begun')
        await inOne(({ cronRuns, crons }) => giveUp({ cronRuns, crons }, cron))
      }
    return queued
  }

  async function begin(context: PanelContext, cron: DueCron, isBusy: boolean): Promise<boolean> {
    const { crons, cronRuns } = context
    const at = Date.parse(context.now)
    if (!(await crons.plan(cron.id, cron.nextAt, iso(nextDue(cron, at))))) return false
    const decision = decide({ ...cron, dueAt: Date.parse(cron.nextAt), now: at, isBusy })
    if (decision === 'skipped' || decision === 'missed')
      await cronRuns.note({ cronId: cron.id, dueAt: cron.nextAt }, decision)
    if (decision !== 'run') return false
    await beginRun(context, cron, { id: newId(), dueAt: cron.nextAt, isByHand: false })
    return true
  }

  async function giveUp({ cronRuns, crons }: Pick<Stores, 'cronRuns' | 'crons'>, cron: DueCron): Promise<void> {
    if (await crons.plan(cron.id, cron.nextAt, iso(nextOrNone(cron))))
      await cronRuns.note({ cronId: cron.id, dueAt: cron.nextAt }, 'missed')
  }

  function nextOrNone(cron: Cron): number | undefined {
    try {
      return nextDue(cron, now())
    } catch (err) {
      log.error({ err, cron: cron.id }, 'the schedule of a cron job cannot be read')
      return undefined
    }
  }

  /** What was planned by a clock that was ahead is planned for too late. A few at a time. */
  async function planAnew(): Promise<void> {
    if (replan === null) return
    const found = await storesOf(db).crons.planned(replan.after, atOnce)
    const changed = found.flatMap((cron) => {
      const nextAt = iso(nextOrNone(cron))
      return nextAt === cron.nextAt || cron.nextAt === null ? [] : [{ id: cron.id, seen: cron.nextAt, nextAt }]
    })
    if (changed.length > 0)
      await inOne(async ({ crons }) => {
        for (const { id, seen, nextAt } of changed) await crons.plan(id, seen, nextAt)
      })
    const last = found.length === atOnce ? found.at(-1) : undefined
    replan = last === undefined ? null : { after: last.id }
  }

  function inOne<T>(change: (context: PanelContext) => Promise<T>): Promise<T> {
    return db.transaction().execute((tx) => change(asPanel(storesOf(tx), new Date(now()).toISOString())))
  }

  const looks = ticker(work, tickMs, (err) => log.error({ err }, 'cannot look after cron jobs'))
  return {
    ...looks,
    async stop(): Promise<void> {
      isStopping = true
      await looks.stop()
    },
  }
}
