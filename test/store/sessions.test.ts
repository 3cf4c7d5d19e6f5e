/** Sessions as the store keeps them: how long each kind lasts, and what makes one worth nothing. */
import { describe, expect, it } from 'vitest'
import { Id } from '../../src/contract/values.ts'
import { type NewSession, sessionTable } from '../../src/panel/auth/sessions.ts'
import { slices } from '../support/slices.ts'
import { onBothStores } from './both-stores.ts'
import type { Panel } from './harness.ts'

const [seconds, minutes, hours] = [1000, 60_000, 3_600_000]
const begun = Date.parse('2026-03-01T12:00:00.000Z')
const at = (ms: number) => new Date(begun + ms).toISOString()
let clock = begun
const limits = { idleMinutes: 60, adminIdleMinutes: 20, hours: 12 }
const sessions = sessionTable(
  () => limits,
  () => clock,
)

async function world({ db, run }: Panel) {
  clock = begun
  const make = async (email: string) =>
    (await run(slices.user.create, { email, password: 'a quiet river at night', role: 'system_admin' })).id
  const [ann, bob] = [await make('ann@example.org'), await make('bob@example.org')]
  const start = (more: Partial<NewSession> = {}) =>
    sessions.start(db, {
      ...{ kind: 'user', userId: ann, ip: '192.0.2.1', userAgent: 'Browser/1', factor: 'none', isAdmin: false },
      ...more,
    })
  const find = (cookie: string) => sessions.find(db, cookie)
  const row = () => db.selectFrom('sessions').selectAll().executeTakeFirstOrThrow()
  return { db, ann, bob, start, find, row }
}

/** Whether it lives one millisecond before, and at, this many milliseconds after its begin. */
async function edge(find: () => Promise<unknown>, ms: number): Promise<readonly boolean[]> {
  const seen: boolean[] = []
  for (const moment of [begun + ms - 1, begun + ms]) {
    clock = moment
    seen.push((await find()) !== undefined)
  }
  clock = begun
  return seen
}

onBothStores('a session', (bench) => {
  it('is found by its cookie and its id, and tells how it was begun', async () => {
    const { db, ann, bob, start, find } = await world(await bench.panel())
    const impersonator = { id: bob, resumeUntil: at(8 * hours) }
    const cookie = await start({ factor: 'totp', userAgent: 'x'.repeat(300), impersonator })
    const session = await find(cookie)

    expect(session).toEqual({
      ...{ id: expect.any(String), userId: ann, kind: 'user', ip: '192.0.2.1', userAgent: 'x'.repeat(200) },
      ...{ createdAt: at(0), seenAt: at(0), expiresAt: at(30 * minutes), confirmedAt: at(0) },
      ...{ factor: 'totp', certificateId: null, impersonator },
    })
    expect(await sessions.findById(db, session?.id ?? ann)).toEqual(session)
    expect(await find(`${cookie}x`)).toBeUndefined()
    expect(await sessions.findById(db, ann)).toBeUndefined()
    expect(JSON.stringify(await db.selectFrom('sessions').selectAll().execute())).not.toContain(cookie)
  })

  it('ends when nobody has used it for a while, sooner for who may do everything', async () => {
    const { db, start, find } = await world(await bench.panel())
    const [person, admin] = [await start(), await start({ isAdmin: true })]
    expect(await edge(() => find(person), 60 * minutes)).toEqual([true, false])
    expect(await edge(() => find(admin), 20 * minutes)).toEqual([true, false])

    clock = begun + minutes - 1
    for (const cookie of [person, admin]) {
      const session = await find(cookie)
      if (session) await sessions.touch(db, session, cookie === admin)
      expect((await find(cookie))?.seenAt).toBe(at(0))
    }
    clock = begun + minutes
    for (const cookie of [person, admin]) {
      const session = await find(cookie)
      if (session) await sessions.touch(db, session, cookie === admin)
      expect((await find(cookie))?.seenAt).toBe(at(minutes))
    }
    expect(await edge(() => find(person), 61 * minutes)).toEqual([true, false])
    expect(await edge(() => find(admin), 21 * minutes)).toEqual([true, false])
  })

  it('of who may do everything is never idle for longer than that of others', async () => {
    const { start, find } = await world(await bench.panel())
    Object.assign(limits, { idleMinutes: 10 })
    const admin = await start({ isAdmin: true })
    Object.assign(limits, { idleMinutes: 60 })
    expect(await edge(() => find(admin), 10 * minutes)).toEqual([true, false])
  })

  it.each<[string, Partial<NewSession>, number]>([
    ['of a person lasts twelve hours', {}, 12 * hours],
    ['of root at the setup lasts a quarter of an hour', { kind: 'bootstrap', userId: null }, 15 * minutes],
    ['that goes on with another ends with it', { until: at(2 * hours) }, 2 * hours],
    ['that goes on with another lasts no longer than any', { until: at(20 * hours) }, 12 * hours],
  ])('%s', async (_, more, ms) => {
    Object.assign(limits, { idleMinutes: 100_000, adminIdleMinutes: 100_000 })
    try {
      const { start, find } = await world(await bench.panel())
      const cookie = await start(more)
      expect(await edge(() => find(cookie), ms)).toEqual([true, false])
    } finally {
      Object.assign(limits, { idleMinutes: 60, adminIdleMinutes: 20 })
    }
  })

  it('as another person lasts half an hour, and no longer than the own one', async () => {
    const { bob, start, find } = await world(await bench.panel())
    const [long, short] = [
      await start({ impersonator: { id: bob, resumeUntil: at(8 * hours) } }),
      await start({ impersonator: { id: bob, resumeUntil: at(7 * minutes) } }),
    ]
    expect(await edge(() => find(long), 30 * minutes)).toEqual([true, false])
    expect(await edge(() => find(short), 7 * minutes)).toEqual([true, false])
  })

  it('has a new cookie and a fresh proof once somebody has shown who they are', async () => {
    const { db, start, find, row } = await world(await bench.panel())
    const cookie = await start({ confirmedAt: at(-hours) })
    const before = await find(cookie)
    expect(before?.confirmedAt).toBe(at(-hours))
    clock = begun + 5 * seconds

    const renewed = await sessions.renew(db, before?.id ?? Id.parse(''))

    expect(await find(cookie)).toBeUndefined()
    expect(await find(renewed)).toEqual({ ...before, confirmedAt: at(5 * seconds) })
    expect((await row()).updated_at).toBe(at(5 * seconds))
  })

  it('is ended by its owner, once, and then is dead', async () => {
    const { db, ann, bob, start, find, row } = await world(await bench.panel())
    const cookie = await start()
    const { id } = (await find(cookie)) ?? { id: ann }
    expect([await sessions.end(db, id, bob), await sessions.end(db, id, null)]).toEqual([false, false])
    expect(await find(cookie)).toBeDefined()

    clock = begun + seconds
    expect([await sessions.end(db, id, ann), await sessions.end(db, id, ann)]).toEqual([true, false])

    expect(await find(cookie)).toBeUndefined()
    expect(await row()).toMatchObject({ deleted_at: at(seconds), updated_at: at(seconds) })
  })

  it('of root at the setup is nobody’s, and is known to be there while it lives', async () => {
    const { db, start, find } = await world(await bench.panel())
    await start()
    expect(await sessions.isThere(db, 'bootstrap')).toBe(false)
    const cookie = await start({ kind: 'bootstrap', userId: null })
    expect([await sessions.isThere(db, 'bootstrap'), await sessions.isThere(db, 'user')]).toEqual([true, true])
    const found = await find(cookie)
    expect(found).toMatchObject({ kind: 'bootstrap', userId: null })

    expect(await sessions.end(db, found?.id ?? Id.parse(''), null)).toBe(true)
    expect(await sessions.isThere(db, 'bootstrap')).toBe(false)
  })

  describe('that is over', () => {
    const day = 24 * hours
    it.each(['by itself', 'by its owner'])('%s is swept away a day later', async (way) => {
      const { db, ann, start, find } = await world(await bench.panel())
      const cookie = await start()
      const { id } = (await find(cookie)) ?? { id: ann }
      const over = way === 'by itself' ? 12 * hours : hours
      clock = begun + over
      if (way === 'by its owner') await sessions.end(db, id, ann)
      const left = async (ms: number) => {
        clock = begun + ms
        await sessions.purge(db)
        return (await db.selectFrom('sessions').select('id').execute()).length
      }
      expect([await left(over + day), await left(over + day + 1)]).toEqual([1, 0])
    })
  })
})
