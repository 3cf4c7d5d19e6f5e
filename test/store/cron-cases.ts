/** Cron jobs and their scheduler, on the store of whoever calls it. */
import pino from 'pino'
import { expect, it } from 'vitest'
import type { Failure } from '../../src/contract/wire.ts'
import { troubledCrons } from '../../src/resources/cron/conditions.ts'
import * as cron from '../../src/resources/cron/operations.ts'
import { cronScheduler } from '../../src/resources/cron/scheduler.ts'
import { purgeExpired } from '../../src/resources/upkeep.ts'
import { slices } from '../support/slices.ts'
import type { Bench } from './both-stores.ts'
import { failure, newId, type Panel, refusal } from './harness.ts'

const { tenant, domain, package: packages } = slices
const minute = 60_000
const noon = Date.parse('2026-03-01T12:00:00.000Z')
const quarterly = { domain: 'shop.example.com', name: 'feed', schedule: '*/15 * * * *', command: ['php', 'feed.php'] }

/** A site, a scheduler that is looked after by hand, and a clock that stands at noon. */
async function begun(bench: Bench) {
  const panel = await bench.panel()
  await panel.run(packages.create, { name: 'basic' })
  await panel.run(tenant.create, { name: 'acme' })
  await panel.work()
  await panel.run(domain.create, { tenant: 'acme', fqdn: 'shop.example.com' })
  await panel.work()
  const steady = { now: 0 }
  let queued = 0
  const scheduler = cronScheduler({
    ...{ db: panel.db, storesOf: panel.stores, log: pino({ level: 'silent' }) },
    onQueued: () => void queued++,
    now: () => panel.clock.now,
    steady: () => steady.now,
  })
  /** Both clocks go on to so many minutes after noon. */
  const at = async (minutes: number) => {
    const moment = noon + minutes * minute
    steady.now += Math.max(0, moment - panel.clock.now)
    panel.clock.now = moment
    await scheduler.wake()
  }
  await at(0)
  return { panel, scheduler, at, steady, wakes: () => queued }
}

/** `12:15 succeeded`, the newest first. */
async function runsOf(panel: Panel, id: string): Promise<string[]> {
  const { items } = await panel.run(cron.runs, { cron: id })
  return items.map(({ dueAt, outcome }) => `${dueAt.slice(11, 16)} ${outcome}`)
}

const nextOf = async (panel: Panel, id: string) => (await panel.run(cron.get, { cron: id })).nextAt?.slice(11, 16)

/** The machine's part of the one job that is queued. */
async function end(panel: Panel, how: Failure | null): Promise<void> {
  const { jobs } = panel.stores(panel.db)
  for (const { id, token } of await jobs.nextRunnable(1)) {
    await jobs.delivered(id)
    await jobs.accepted(id, ['one step'])
    await jobs.finished(id, token, how)
  }
}

async function troubles(panel: Panel): Promise<string[]> {
  const stores = panel.stores(panel.db)
  const now = new Date(panel.clock.now).toISOString()
  const look = { now, stores, machine: {} as never, health: async () => null, agentTrouble: undefined }
  return ((await troubledCrons.find(look)) ?? []).map(({ title }) =>
    title.replace('Cron job "feed" of shop.example.com ', ''),
  )
}

export function cronCases(bench: Bench): void {
  it('run when they are due, each as one job, and keep how it ended', async () => {
    const { panel, at, wakes } = await begun(bench)
    const { id } = await panel.run(cron.create, { ...quarterly, environment: ['APP_ENV=x y'] })
    await at(14)
    expect([await panel.work(), await runsOf(panel, id), await nextOf(panel, id)]).toEqual([[], [], '12:15'])

    await at(15)
    expect([await runsOf(panel, id), await nextOf(panel, id), wakes()]).toEqual([['12:15 waiting'], '12:30', 1])
    const [job] = await panel.stores(panel.db).jobs.nextRunnable(9)
    expect(job).toMatchObject({ type: 'cron.run', isStaff: false, resourceId: id, payload: { run: job?.id } })
    expect(job?.payload.command).toEqual(['/usr/bin/env', '--', 'APP_ENV=x y', 'php', 'feed.php'])
    await at(15.5)
    expect(await panel.work()).toEqual(['cron.run'])
    await at(16)

    expect(await runsOf(panel, id)).toEqual(['12:15 succeeded'])
    const { items } = await panel.run(cron.runs, { cron: id })
    expect(items).toEqual([expect.objectContaining({ id: job?.id, exitCode: 0, problem: null, isByHand: false })])
    expect(items[0]?.milliseconds).toBeGreaterThanOrEqual(0)
  })

  it('are told while they fail, with their exit code, and no more once they succeed', async () => {
    const { panel, at } = await begun(bench)
    const { id } = await panel.run(cron.create, quarterly)
    for (const [minutes, how] of [
      [15, { ...failure, message: 'The command ended with exit code 3', exit: 3 }],
      [30, failure],
    ] as const) {
      await at(minutes)
      await end(panel, how)
      await at(minutes + 1)
    }
    const one = await panel.run(cron.get, { cron: id })
    expect([one.failingSince?.slice(11, 16), one.lastProblem]).toEqual(['12:16', 'Cannot do it'])
    expect((await panel.run(cron.runs, { cron: id })).items.map(({ exitCode }) => exitCode)).toEqual([null, 3])
    expect(await troubles(panel)).toEqual(['fails'])

    await at(45)
    expect(await troubles(panel)).toEqual(['fails'])
    await end(panel, null)
    await at(46)
    expect(await troubles(panel)).toEqual([])
  })

  it('never run twice at once, by themselves or by hand', async () => {
    const { panel, at } = await begun(bench)
    const { id } = await panel.run(cron.create, quarterly)
    await at(15)
    await at(30)
    expect(await runsOf(panel, id)).toEqual(['12:30 skipped', '12:15 waiting'])
    expect(await refusal(panel.run(cron.run, { cron: id }))).toMatchObject({ code: 'conflict' })

    await end(panel, null)
    await at(31)
    const { jobId } = await panel.run(cron.run, { cron: id })
    expect((await panel.run(cron.runs, { cron: id })).items[0]).toMatchObject({ id: jobId, isByHand: true })
    expect(await nextOf(panel, id)).toBe('12:45')
  })

  it('that were missed are told, or run once, as each asks for it', async () => {
    const { panel, at } = await begun(bench)
    const skips = await panel.run(cron.create, quarterly)
    const once = await panel.run(cron.create, { ...quarterly, name: 'other', ifMissed: 'once' })
    await at(120)

    expect([await runsOf(panel, skips.id), await nextOf(panel, skips.id)]).toEqual([['12:15 missed'], '14:15'])
    expect([await runsOf(panel, once.id), await nextOf(panel, once.id)]).toEqual([['12:15 waiting'], '14:15'])
    expect(await troubles(panel)).toEqual(['did not run at 2026-03-01 12:15 UTC'])
    await end(panel, null)
    await at(135)
    await end(panel, null)
    await end(panel, null)
    await at(136)
    expect(await troubles(panel)).toEqual([])
  })

  it('that wait for the machine for long are told, and those that nobody looks after', async () => {
    const { panel, at } = await begun(bench)
    const { id } = await panel.run(cron.create, { ...quarterly, schedule: '15 12 * * *' })
    await at(15)
    panel.clock.now += 16 * minute
    expect(await troubles(panel)).toEqual(['has not begun, and was due at 2026-03-01 12:15 UTC'])

    await end(panel, null)
    await at(32)
    await panel.run(cron.update, { cron: id, schedule: '0 13 * * *' })
    panel.clock.now = noon + 80 * minute
    expect(await troubles(panel)).toEqual(['has not begun, and was due at 2026-03-01 13:00 UTC'])
  })

  it('are planned anew when the clock was set back, and after a start', async () => {
    const { panel, at, scheduler, steady } = await begun(bench)
    const { id } = await panel.run(cron.create, quarterly)
    await at(7 * 24 * 60)
    expect(await runsOf(panel, id)).toEqual(['12:15 missed'])

    panel.clock.now = noon + 20 * minute
    steady.now += 1000
    await scheduler.wake()

    const { nextAt } = await panel.run(cron.get, { cron: id })
    expect(nextAt).toBe('2026-03-01T12:30:00.000Z')
  })

  it('pass while their site or tenant is closed, and nobody is told', async () => {
    const { panel, at } = await begun(bench)
    const { id } = await panel.run(cron.create, quarterly)
    await panel.run(tenant.suspend, { tenant: 'acme' })
    await panel.work()
    await at(15)
    await at(60)
    expect([await runsOf(panel, id), await nextOf(panel, id), await troubles(panel)]).toEqual([[], '13:15', []])

    await panel.run(tenant.unsuspend, { tenant: 'acme' })
    await panel.work()
    await at(75)
    expect(await runsOf(panel, id)).toEqual(['13:15 waiting'])
  })

  it('keep what somebody has changed while they were looked at', async () => {
    const { panel } = await begun(bench)
    const { id } = await panel.run(cron.create, quarterly)
    const { nextAt } = await panel.run(cron.get, { cron: id })
    await panel.run(cron.update, { cron: id, schedule: '0 13 * * *' })

    const { crons } = panel.stores(panel.db)
    expect(await crons.plan(id, nextAt ?? '', null)).toBe(false)
    expect(await nextOf(panel, id)).toBe('13:00')
  })

  it('that cannot be read hold up no other', async () => {
    const { panel, at } = await begun(bench)
    const broken = await panel.run(cron.create, quarterly)
    const whole = await panel.run(cron.create, { ...quarterly, name: 'other' })
    await panel.db.updateTable('cron_jobs').set({ schedule: 'nonsense' }).where('id', '=', broken.id).execute()
    await at(15)

    expect(await runsOf(panel, whole.id)).toEqual(['12:15 waiting'])
    expect([await runsOf(panel, broken.id), await nextOf(panel, broken.id)]).toEqual([['12:15 missed'], undefined])
  })

  it('do not run switched off or in the trash, and come back planned, alone or with their tenant', async () => {
    const { panel, at } = await begun(bench)
    const { id } = await panel.run(cron.create, quarterly)
    await panel.run(cron.update, { cron: id, isEnabled: false })
    await at(15)
    await panel.run(cron.update, { cron: id, isEnabled: true })
    await panel.run(cron.remove, { cron: id })
    await at(30)
    expect(await runsOf(panel, id)).toEqual([])

    await panel.run(cron.restore, { cron: id })
    expect(await nextOf(panel, id)).toBe('12:45')
    await panel.run(tenant.remove, { tenant: 'acme' })
    await panel.work()
    await at(45)
    expect((await panel.run(cron.list, {})).items).toEqual([])
    await panel.run(tenant.restore, { tenant: 'acme' })
    await panel.work()
    await at(46)
    await at(60)
    expect(await runsOf(panel, id)).toEqual(['13:00 waiting'])
  })

  it('are purged when they have been in the trash for their days, with their runs', async () => {
    const { panel, at } = await begun(bench)
    const { id } = await panel.run(cron.create, quarterly)
    await at(15)
    await panel.run(cron.remove, { cron: id })
    expect(await panel.transaction(purgeExpired)).toMatchObject({ rows: 0 })
    panel.passDays(400)
    expect(await panel.transaction(purgeExpired)).toMatchObject({ rows: 1 })

    expect(await panel.db.selectFrom('cron_runs').selectAll().execute()).toEqual([])
  })

  it('keep their newest hundred runs, and the jobs of no others', async () => {
    const { panel, at } = await begun(bench)
    const { id } = await panel.run(cron.create, quarterly)
    const { jobId } = await panel.run(cron.run, { cron: id })
    await end(panel, null)
    await at(1)
    const dueAt = new Date(noon).toISOString()
    for (let round = 0; round < 2; round++)
      await panel.transaction(async ({ cronRuns }) => {
        for (let count = 0; count < 50; count++) await cronRuns.note({ cronId: id, dueAt }, 'skipped')
      })

    expect((await panel.run(cron.runs, { cron: id, limit: 200 })).items).toHaveLength(100)
    expect(await panel.stores(panel.db).jobs.find(jobId)).toBeUndefined()
  })

  it('are a hundred of a tenant, and refused where they would never run or are too long', async () => {
    const { panel } = await begun(bench)
    const never = panel.run(cron.create, { ...quarterly, schedule: '0 0 30 2 *' })
    expect(await refusal(never)).toMatchObject({ code: 'bad_input', fields: [{ field: 'schedule' }] })
    const environment = Array.from({ length: 5 }, (_, place) => `A${place}=${'x'.repeat(900)}`)
    const long = panel.run(cron.create, { ...quarterly, environment })
    expect(await refusal(long)).toMatchObject({ code: 'bad_input', fields: [{ field: 'environment' }] })
    const { id } = await panel.run(cron.create, quarterly)
    await panel.transaction(async ({ crons }) => {
      const one = await crons.get(id)
      for (let count = 1; count < 100; count++) await crons.insert({ ...one, id: newId() })
    })

    expect(await refusal(panel.run(cron.create, quarterly))).toMatchObject({ code: 'conflict' })
  })
}
