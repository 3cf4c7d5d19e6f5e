/** A sign-in between its two factors: how many codes may be tried, one after the other and at once. */
import { expect, it } from 'vitest'
import { challengeTable, triesPerChallenge } from '../../src/panel/auth/challenges.ts'
import { slices } from '../support/slices.ts'
import { onBothStores } from './both-stores.ts'
import type { Panel } from './harness.ts'

const minutes = 60_000
let clock = 0
const challenges = challengeTable(() => clock)

async function started({ db, run }: Panel) {
  clock = Date.parse('2026-03-01T12:00:00.000Z')
  const person = { email: 'ann@example.org', password: 'a quiet river at night', role: 'system_admin' }
  const { id } = await run(slices.user.create, person)
  const cookie = await challenges.start(db, id)
  return {
    id,
    enter: () => challenges.enter(db, cookie),
    find: () => challenges.find(db, cookie),
    end: () => challenges.end(db, cookie),
  }
}

onBothStores('a sign-in that waits for its code', (bench) => {
  it('allows so many tries and no more, also at once', async () => {
    const panel = await bench.panel()
    const { id, enter, find } = await started(panel)
    expect(await find()).toBe(id)

    const entered = await Promise.all(Array.from({ length: 4 * triesPerChallenge }, enter))

    expect(entered.filter((one) => one === id)).toHaveLength(triesPerChallenge)
    expect([await enter(), await find()]).toEqual([undefined, undefined])
  })

  it('says when it began and when the last code was tried', async () => {
    const panel = await bench.panel()
    const { enter } = await started(panel)
    const row = () => panel.db.selectFrom('login_challenges').selectAll().executeTakeFirstOrThrow()
    const [began, after, over] = [0, 1, 10 * minutes].map((ms) => new Date(clock + ms).toISOString())
    expect(await row()).toMatchObject({ created_at: began, updated_at: began, expires_at: over, tries: 0 })

    clock += 1
    await enter()
    expect(await row()).toMatchObject({ created_at: began, updated_at: after, expires_at: over, tries: 1 })
  })

  it('is over after ten minutes', async () => {
    const { id, enter, find } = await started(await bench.panel())
    clock += 10 * minutes - 1
    expect([await find(), await enter()]).toEqual([id, id])
    clock += 1
    expect([await find(), await enter()]).toEqual([undefined, undefined])
  })

  it('is swept away when it is over, and not before', async () => {
    const panel = await bench.panel()
    const { id, find } = await started(panel)
    const left = async () => (await panel.db.selectFrom('login_challenges').selectAll().execute()).length
    await challenges.purge(panel.db)
    expect([await find(), await left()]).toEqual([id, 1])

    clock += 10 * minutes + 1
    await challenges.purge(panel.db)
    expect(await left()).toBe(0)
  })

  it('is ended by one of several at once', async () => {
    const panel = await bench.panel()
    const { end } = await started(panel)
    const ended = await Promise.all([1, 2, 3].map(end))
    expect(ended.toSorted()).toEqual([false, false, true])
  })
})
