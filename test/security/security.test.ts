/** C01-C38 against one running product: a row for each class, and after each the oracle. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { row } from '../faults/rows.ts'
import { classes } from './classes.ts'
import { executions, shellsOf } from './executed.ts'
import { Stage } from './stage.ts'
import { Tally } from './tally.ts'

let stage: Stage
beforeAll(async () => {
  stage = await Stage.open()
})
afterAll(() => stage?.close())

describe.each(Object.entries(classes))('%s', (id, one) => {
  if ('nothingYet' in one) {
    it(`has nothing to attack yet: ${one.nothingYet}`, () => {
      row({ fault: id, name: one.name, cases: 0, failed: 0, outcome: `nothing to attack yet: ${one.nothingYet}` })
    })
    return
  }
  it(`${one.name}: ${one.holds}`, async () => {
    const tally = new Tally()
    try {
      await one.attack(stage, tally)
      await stage.watch.verify(tally, one.says)
    } catch (error) {
      tally.held(false, `the attack itself broke: ${error instanceof Error ? error.stack : error}`)
    }
    const held = one.notYet === undefined ? one.holds : `${one.holds}; nothing to attack yet: ${one.notYet}`
    const [first] = tally.broken
    row({
      fault: id,
      name: one.name,
      cases: tally.cases,
      failed: tally.broken.length,
      outcome: first?.split('\n', 1)[0] ?? held,
    })
    expect(tally.broken).toEqual([])
  })
})

it('has not started a single shell on the root side', () => {
  const shells = shellsOf(stage.executed())
  const cases = executions(stage.executed()).length
  const outcome = shells[0] ?? 'of all programs that were executed none was a shell'
  row({ fault: 'shells', name: 'executed by the product', cases, failed: shells.length, outcome })
  expect(cases).toBeGreaterThan(10)
  expect(shells).toEqual([])
})

it('is whole after everything', async () => {
  const tally = new Tally()
  // Each class has looked at what was said of it.
  await stage.world.oracle([/^/]).catch((error) => tally.broken.push(String(error)))
  row({
    fault: 'oracle',
    name: 'after all classes',
    cases: 1,
    failed: tally.broken.length,
    outcome: tally.broken[0]?.split('\n', 1)[0] ?? 'everybody served, no drift, audit trail whole',
  })
  expect(tally.broken).toEqual([])
})
