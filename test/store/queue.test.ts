import { describe, expect, it } from 'vitest'
import { WcpError } from '../../src/contract/errors.ts'
import { Id } from '../../src/contract/values.ts'
import { encodeCursor } from '../../src/resources/read-page.ts'
import { forgetOldJobs } from '../../src/resources/upkeep.ts'
import { slices } from '../support/slices.ts'
import { onBothStores } from './both-stores.ts'
import { failure, newId, type Panel, refusal } from './harness.ts'

const { tenant, domain, job, package: packages, webhook, session, 'api-key': apiKey } = slices

async function tenants(panel: Panel, ...names: string[]) {
  await panel.run(packages.create, { name: 'basic' })
  for (const name of names) await panel.run(tenant.create, { name })
}

onBothStores('the queue', (bench) => {
  const jobsOf = (panel: Panel) => panel.stores(panel.db).jobs

  it('offers the oldest job of each tenant, and the next one when that has ended', async () => {
    const panel = await bench.panel()
    await tenants(panel, 'one', 'two')
    await panel.run(domain.create, { tenant: 'one', fqdn: 'a.example.com' })
    await panel.run(domain.create, { tenant: 'one', fqdn: 'b.example.com' })
    const jobs = jobsOf(panel)

    const first = await jobs.nextRunnable(10)
    await jobs.accepted(first[0]?.id ?? newId(), ['step'])
    const whileRunning = await jobs.nextRunnable(10)
    await jobs.finished(first[0]?.id ?? newId(), 1, null)
    const after = await jobs.nextRunnable(10)

    expect(first.map((one) => one.type)).toEqual(['tenant.create', 'tenant.create'])
    expect(whileRunning.map((one) => one.id)).toEqual([first[1]?.id])
    expect(after.map((one) => one.type)).toEqual(['tenant.create', 'domain.create'])
    expect(await jobs.nextRunnable(1)).toHaveLength(1)
  })

  it('lets exactly one of many requests have a row', async () => {
    const panel = await bench.panel()
    await tenants(panel, 'one')
    await panel.work()

    const tries = Array.from({ length: 10 }, () => panel.run(tenant.suspend, { tenant: 'one' }))
    const results = await Promise.allSettled(tries)

    const refused = results.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
    expect(refused).toHaveLength(9)
    for (const reason of refused) expect(reason).toMatchObject({ code: 'busy', details: { type: 'tenant.suspend' } })
  })

  it('gives each job of a row a higher token', async () => {
    const panel = await bench.panel()
    await tenants(panel, 'one')
    const tokens: (number | undefined)[] = []
    const suspend = () => panel.run(tenant.suspend, { tenant: 'one' })
    for (const change of [suspend, () => panel.run(tenant.unsuspend, { tenant: 'one' }), suspend]) {
      tokens.push((await jobsOf(panel).nextRunnable(1))[0]?.token)
      await panel.work()
      await change()
    }
    tokens.push((await jobsOf(panel).nextRunnable(1))[0]?.token)

    expect(tokens).toEqual([1, 2, 3, 4])
  })

  it('keeps steps, notes and log lines for people', async () => {
    const panel = await bench.panel()
    await tenants(panel, 'one')
    const jobs = jobsOf(panel)
    const id = (await jobs.nextRunnable(1))[0]?.id ?? newId()
    await jobs.accepted(id, ['directory', 'account'])
    await jobs.step(id, { index: 0, name: 'directory', state: 'running', note: null })
    await jobs.step(id, { index: 0, name: 'directory', state: 'done', note: 'made\0it' })
    await jobs.log(id, 'first line\nforged line')
    await jobs.log(id, 'second line')

    const detail = await panel.run(job.get, { job: id })

    expect(detail).toMatchObject({ state: 'running', log: ['first line forged line', 'second line'] })
    expect(detail.steps).toMatchObject([
      { position: 0, name: 'directory', state: 'done', note: 'made\uFFFDit', finishedAt: expect.any(String) },
      { position: 1, name: 'account', state: null, startedAt: null },
    ])
  })

  it('stops keeping a log that never ends', async () => {
    const panel = await bench.panel()
    await tenants(panel, 'one')
    const id = (await jobsOf(panel).nextRunnable(1))[0]?.id ?? newId()
    for (let n = 0; n < 100; n++) await jobsOf(panel).log(id, 'x'.repeat(4000))

    const kept = (await panel.run(job.get, { job: id })).log.join('\n').length

    expect(kept).toBeGreaterThan(256 * 1024 - 4001)
    expect(kept).toBeLessThan(256 * 1024 + 4001)
  })

  it('calls a job stalled when its heartbeats stop, blocks its tenant, and takes its late word', async () => {
    const panel = await bench.panel()
    await tenants(panel, 'one')
    await panel.run(domain.create, { tenant: 'one', fqdn: 'a.example.com' })
    const [first] = await jobsOf(panel).nextRunnable(1)
    const id = first?.id ?? newId()
    await jobsOf(panel).accepted(id, [])

    const stalled = await jobsOf(panel).stalled(id)
    const blocked = await jobsOf(panel).nextRunnable(10)
    const again = [
      await jobsOf(panel).stalled(id),
      await jobsOf(panel).cancelled(id),
      ...(await jobsOf(panel).requeued()),
    ]
    await jobsOf(panel).heartbeat(id)
    const alive = (await panel.run(job.get, { job: id })).state
    const ended = await jobsOf(panel).finished(id, first?.token ?? 0, null)

    expect(stalled).toBe(true)
    expect([blocked, again]).toEqual([[], [false, false]])
    expect([alive, ended]).toEqual(['running', true])
  })

  it('calls a job stalled that nobody takes, and lets it be cancelled or wait again unless it was sent', async () => {
    const panel = await bench.panel()
    await tenants(panel, 'one', 'two', 'three')
    const ids = (await jobsOf(panel).nextRunnable(3)).map(({ id }) => id)
    const [unsent = newId(), sent = newId(), cancelled = newId()] = ids
    await jobsOf(panel).delivered(sent)

    const stalled = []
    for (const id of ids) stalled.push(await jobsOf(panel).stalled(id))
    const ends = [await jobsOf(panel).cancelled(cancelled), await jobsOf(panel).cancelled(sent)]
    const again = await jobsOf(panel).requeued()

    expect([stalled, ends, again]).toEqual([[true, true, true], [true, false], [unsent]])
    expect((await jobsOf(panel).nextRunnable(3)).map(({ id }) => id)).toEqual([unsent])
    expect(await jobsOf(panel).held(sent)).toBe(true)
    expect((await jobsOf(panel).nextRunnable(3)).map(({ id }) => id)).toEqual([unsent, sent])
  })

  it('believes the end of a job once, and only with its own token', async () => {
    const panel = await bench.panel()
    await tenants(panel, 'one')
    const id = (await jobsOf(panel).nextRunnable(1))[0]?.id ?? newId()
    await jobsOf(panel).accepted(id, [])

    const answers = [
      await jobsOf(panel).finished(id, 7, failure),
      await jobsOf(panel).finished(id, 1, null),
      await jobsOf(panel).finished(id, 1, failure),
      await jobsOf(panel).accepted(id, []),
      await jobsOf(panel).finished(newId(), 1, null),
    ]

    expect(answers).toEqual([false, true, false, false, false])
    expect(await panel.run(job.get, { job: id })).toMatchObject({ state: 'succeeded', failure: null })
    expect((await panel.run(tenant.get, { tenant: 'one' })).status).toBe('active')
  })

  it('takes the end of a job whose acceptance was lost', async () => {
    const panel = await bench.panel()
    await tenants(panel, 'one')
    const id = (await jobsOf(panel).nextRunnable(1))[0]?.id ?? newId()

    expect(await jobsOf(panel).finished(id, 1, null)).toBe(true)
    expect((await panel.run(job.get, { job: id })).state).toBe('succeeded')
  })

  it('tells why a job failed', async () => {
    const panel = await bench.panel()
    await tenants(panel, 'one')
    const [queued] = await jobsOf(panel).nextRunnable(1)
    await panel.work(() => true)

    const detail = await panel.run(job.get, { job: queued?.id ?? newId() })

    expect(detail).toMatchObject({ state: 'failed', failure, finishedAt: expect.any(String) })
  })

  it('cancels what has not been handed over, and nothing else', async () => {
    const panel = await bench.panel()
    await tenants(panel, 'one')
    await panel.work()
    const suspend = async () => Id.parse((await panel.run(tenant.suspend, { tenant: 'one' })).jobId)
    const first = await suspend()
    await panel.run(job.cancel, { job: first })
    const afterCancel = await panel.run(tenant.get, { tenant: 'one' })
    const wasSent = await jobsOf(panel).delivered(first)
    const second = await suspend()
    await jobsOf(panel).delivered(second)

    const error = await refusal(panel.run(job.cancel, { job: second }))

    expect(afterCancel.status).toBe('active')
    expect(wasSent).toBe(false)
    expect(error.message).toBe(`Cannot cancel job ${second}: it has been handed over`)
  })

  it('is cancelled or handed over, and never both, when both come at the same moment', async () => {
    const panel = await bench.panel()
    const names = Array.from({ length: 20 }, (_, index) => `shop${String.fromCharCode(97 + index)}`)
    await tenants(panel, ...names)
    const ids = (await jobsOf(panel).nextRunnable(20)).map(({ id }) => id)

    const answers = await Promise.all(
      ids.map((id) =>
        Promise.all([
          panel
            .transaction((context) => job.cancel.run(context, { job: id }))
            .then(
              () => true,
              () => false,
            ),
          jobsOf(panel).delivered(id),
        ]),
      ),
    )

    expect(ids).toHaveLength(20)
    for (const [cancelled, sent] of answers) expect(cancelled).toBe(!sent)
  })

  it('leaves no trace of a request that was rolled back', async () => {
    const panel = await bench.panel()
    await tenants(panel, 'one')
    await panel.work()
    const before = await panel.run(tenant.get, { tenant: 'one' })

    const plan = panel.transaction(async (context) => {
      await tenant.suspend.run(context, tenant.suspend.input.parse({ tenant: 'one' }))
      throw new WcpError('conflict', 'Cannot go on: only a plan')
    })

    expect((await refusal(plan)).message).toContain('only a plan')
    expect(await panel.run(tenant.get, { tenant: 'one' })).toEqual(before)
    expect(await jobsOf(panel).nextRunnable(10)).toEqual([])
  })

  it('forgets ended jobs after the days that the setting names', async () => {
    const panel = await bench.panel()
    await tenants(panel, 'one')
    await panel.work()
    await panel.run(slices.settings.update, { key: 'jobs.keep_days', value: '10' })
    panel.passDays(9)
    await panel.transaction(forgetOldJobs)
    const early = (await panel.run(job.list, {})).items
    panel.passDays(2)
    const isMore = await panel.transaction(forgetOldJobs)

    expect(early).toHaveLength(1)
    expect(isMore).toBe(false)
    expect((await panel.run(job.list, {})).items).toEqual([])
  })

  it('forgets ended jobs a few at a time, the oldest first', async () => {
    const panel = await bench.panel()
    await tenants(panel, 'one', 'two', 'three')
    await panel.work()
    panel.passDays(1)

    const forgotten = await jobsOf(panel).purgeFinishedBefore(new Date(panel.clock.now).toISOString(), 2)

    expect(forgotten).toBe(2)
    expect((await panel.run(job.list, {})).items.map(({ resourceName }) => resourceName)).toEqual(['three'])
  })

  describe('lists', () => {
    it('page through everything once, in order, while rows come and go', async () => {
      const panel = await bench.panel()
      await tenants(panel, ...Array.from({ length: 7 }, (_, n) => `name${n}`))
      const first = await panel.run(tenant.list, { limit: 3 })
      await panel.run(tenant.create, { name: 'aaa' })
      const second = await panel.run(tenant.list, { limit: 3, cursor: first.nextCursor ?? '' })
      const third = await panel.run(tenant.list, { limit: 3, cursor: second.nextCursor ?? '' })
      const jobs = await panel.run(job.list, { limit: 2 })
      const moreJobs = await panel.run(job.list, { limit: 200, cursor: jobs.nextCursor ?? '' })

      const names = [first, second, third].flatMap((page) => page.items.map((one) => one.name))
      expect(names).toEqual(Array.from({ length: 7 }, (_, n) => `name${n}`))
      expect(third.nextCursor).toBeNull()
      expect([...jobs.items, ...moreJobs.items].map((one) => one.resourceName)).toEqual(['aaa', ...names.toReversed()])
    })

    it('find what holds a text, taking % and _ for themselves', async () => {
      const panel = await bench.panel()
      await tenants(panel, 'shopone', 'myshop', 'other')

      const found = await panel.run(tenant.list, { search: 'Shop' })
      const wild = await Promise.all(['%', '_', "'", '\\'].map((search) => panel.run(tenant.list, { search })))

      expect(found.items.map((one) => one.name)).toEqual(['myshop', 'shopone'])
      expect(wild.flatMap((page) => page.items)).toEqual([])
    })

    it.each([
      '',
      'x',
      'WyJhIl0',
      Buffer.from('["a","b"]').toString('base64url'),
      Buffer.from('[{},"x"]').toString('base64url'),
      encodeCursor('asc', 'a\0b', newId()),
    ])('refuse a cursor that they did not give: %j', async (cursor) => {
      const panel = await bench.panel()

      const asked = [
        panel.run(tenant.list, { cursor }),
        panel.run(apiKey.list, { cursor }),
        panel.run(webhook.list, { cursor }),
        panel.run(session.list, { cursor }),
        panel.run(job.list, { cursor }),
      ]

      for (const error of await Promise.all(asked.map((one) => refusal(one))))
        expect(error).toMatchObject({ code: 'bad_input', fields: [{ field: 'cursor' }] })
    })
  })
})
