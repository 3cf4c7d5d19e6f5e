/** What holds for every job type there is: a type that joins the registry gets all of this, in one of two files that run side by side. */
import Sqlite from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { PlanReport } from '../../src/contract/wire.ts'
import type { Database } from '../../src/program/native-sqlite.ts'
import type { JobType } from '../../src/resources/jobs.ts'
import { Bench } from './bench.ts'
import { deaths, type Fault, failures, type Injection, withFaults } from './faults.ts'
import { irreversible, leadUp, scenarios } from './scenarios.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 })

let bench: Bench
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'] }) // moments are written down: those of two machines are compared
  bench = await Bench.make()
})
afterEach(async () => {
  vi.useRealTimers()
  await bench.engine.close()
  bench.remove()
})

export function everyJob(types: readonly JobType[]): void {
  describe.each(types)('%s', (type) => {
    const { payload } = scenarios[type]

    it('does what its plan says, and the plan itself changes nothing', async () => {
      await leadUp(bench, type)
      const before = bench.manifest()
      const registry = await bench.registryText()

      const [plan = []] = (await bench.ask({ t: 'plan', jobs: [{ type, payload }] })).value as PlanReport

      expect(bench.manifest()).toBe(before)
      expect(await bench.registryText()).toBe(registry)
      expect(await bench.run(type, payload)).toMatchObject({ failure: null })
      expect(doneSteps()).toEqual(plan.filter(({ action }) => action !== 'same').map(({ step }) => step))
      expect(plan.some(({ action }) => action !== 'same')).toBe(true)
    })

    it('changes nothing when it is sent again', async () => {
      await leadUp(bench, type)
      expect(await bench.run(type, payload)).toMatchObject({ failure: null })
      const after = bench.manifest()
      const registry = await bench.registryText()
      bench.messages.length = 0

      expect(await bench.run(type, payload)).toMatchObject({ failure: null })

      expect(bench.manifest()).toBe(after)
      expect(await bench.registryText()).toBe(registry)
      expect(doneSteps()).toEqual([])
    })

    it('asks the registry and the journal for rows of its own, and reads no table whole', async () => {
      const prepare = vi.spyOn(Sqlite.prototype, 'prepare')
      await leadUp(bench, type)
      expect(await bench.run(type, payload)).toMatchObject({ failure: null })
      const asked = prepare.mock.calls.map(([text], index) => ({
        text,
        database: prepare.mock.contexts[index] as Database,
      }))
      prepare.mockRestore()

      const plans = asked
        .filter(({ text, database }) => database.open && /^(select|update|delete)/.test(text)) // the engine's, not a test's own
        .flatMap(({ text, database }) =>
          database.prepare(`explain query plan ${text.replace(/[?]|@\w+/g, 'null')}`).all(),
        )
        .map((step) => (step as { detail: string }).detail)
      expect(plans.length).toBeGreaterThan(0)
      // A range of the rowid is all jobs before this one.
      expect(plans.filter((step) => /^SCAN (?!json_each)|PRIMARY KEY \(rowid[<>]/.test(step))).toEqual([])
    })

    it.each(failures)(
      'leaves a clean slate when an effect %s, whichever it is, and works afterwards',
      async (fault) => {
        await leadUp(bench, type)
        const before = bench.manifest()
        const registry = await bench.registryText()
        const goBack = await bench.save()

        const effects = await forEachEffect(goBack, type, payload, fault, async () => {
          const failed = bench.messages.find((message) => message.t === 'step' && message.state === 'failed')
          const finished = bench.messages.find((message) => message.t === 'finished')
          expect(finished).toMatchObject({ failure: { step: failed && 'name' in failed ? failed.name : '' } })
          expect(finished?.t === 'finished' && finished.failure?.message).toMatch(/injected/)
          if (!irreversible.has(type)) {
            expect(bench.manifest()).toBe(before)
            expect(await bench.registryText()).toBe(registry)
          }
          bench.messages.length = 0
          expect(await bench.run(type, payload)).toMatchObject({ failure: null })
        })

        expect(effects).toBeGreaterThan(0)
      },
    )

    it.each(deaths)('is as before or as after when the process %s an effect, whichever it is', async (death) => {
      await leadUp(bench, type)
      const goBack = await bench.save()
      await goBack()
      await bench.start()
      await bench.run(type, payload)
      const after = bench.manifest()
      const registry = await bench.registryText()
      await bench.engine.close()

      const effects = await forEachEffect(goBack, type, payload, death, async () => {
        expect(bench.messages.filter((one) => one.t === 'finished')).toMatchObject([{ failure: null }]) // it was resumed
        expect(bench.manifest()).toBe(after)
        expect(await bench.registryText()).toBe(registry)
      })

      expect(effects).toBeGreaterThan(0)
    })

    if (irreversible.has(type)) return

    it.each(deaths)('is as before when the process %s an effect of the undoing', async (death) => {
      await leadUp(bench, type)
      const before = bench.manifest()
      const registry = await bench.registryText()
      const goBack = await bench.save()
      const last = await countEffects(goBack, type, payload)

      // the last effect fails, then each effect of the undoing is the last one of its process
      for (let nth = last + 1; ; nth++) {
        await goBack()
        const job = crypto.randomUUID()
        const injection = withFaults(bench.machine(), (n) =>
          n === last ? 'fails late' : n === nth ? death : undefined,
        )
        await bench.start(injection.machine)
        bench.engine.handle(bench.job(type, payload, { job }))
        await Promise.race([bench.ended(job), injection.dead])
        await bench.start()
        await bench.ended(job)
        expect(bench.manifest()).toBe(before)
        expect(await bench.registryText()).toBe(registry)
        if (injection.count() < nth) break
        await bench.engine.close()
      }
    })

    it('is settled later when undoing fails for a while', async () => {
      await leadUp(bench, type)
      const before = bench.manifest()
      const registry = await bench.registryText()
      const goBack = await bench.save()
      const last = await countEffects(goBack, type, payload)
      await goBack()
      const broken = withFaults(bench.machine(), (n) => (n >= last ? 'fails late' : undefined))
      // a failure after the effect is one whose undoing finds something to do, and the first effect is its own
      const engine = await bench.start(broken.machine)

      const { failure } = await bench.run(type, payload)
      expect(failure?.message).toMatch(/undoing failed too|undoing failed/)
      expect(engine.stuck()).toHaveLength(1)
      await engine.close()
      await bench.start()

      expect(bench.engine.stuck()).toEqual([])
      expect(bench.manifest()).toBe(before)
      expect(await bench.registryText()).toBe(registry)
    })
  })
}

function doneSteps(): string[] {
  return bench.messages.flatMap((message) => (message.t === 'step' && message.state === 'done' ? [message.name] : []))
}

/** Runs the job once for each of its effects with the fault there, from the same start each time. */
async function forEachEffect(
  goBack: () => Promise<void>,
  type: string,
  payload: unknown,
  fault: Fault,
  verify: () => Promise<void>,
): Promise<number> {
  for (let nth = 1; ; nth++) {
    await goBack()
    const injection = withFaults(bench.machine(), (n) => (n === nth ? fault : undefined))
    await bench.start(injection.machine)
    const job = crypto.randomUUID()
    bench.engine.handle(bench.job(type, payload, { job }))
    const isDeath = fault === 'dies before' || fault === 'dies after'
    await Promise.race([bench.ended(job), injection.dead])
    if (injection.count() < nth) return nth - 1
    if (isDeath) {
      await bench.start()
      await bench.ended(job)
    }
    await verify()
    await bench.engine.close()
  }
}

async function countEffects(goBack: () => Promise<void>, type: string, payload: unknown): Promise<number> {
  await goBack()
  const injection: Injection = withFaults(bench.machine(), () => undefined)
  await bench.start(injection.machine)
  await bench.run(type, payload)
  await bench.engine.close()
  return injection.count()
}
