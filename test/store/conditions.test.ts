/** Conditions: raised once, cleared once, told once, and never more than so many; on both stores. */
import { expect, it } from 'vitest'
import type { FoundCondition } from '../../src/resources/condition-source.ts'
import { slices } from '../support/slices.ts'
import { onBothStores } from './both-stores.ts'
import type { Panel } from './harness.ts'

const { condition } = slices
const forever = '2999-01-01T00:00:00.000Z'

const full = (mount: string, severity: FoundCondition['severity'] = 'warning'): FoundCondition => ({
  subject: mount,
  severity,
  title: `Disk ${mount} is full`,
})

onBothStores('conditions', (bench) => {
  const store = (panel: Panel) => panel.stores(panel.db).conditions
  const standing = async (panel: Panel) => (await panel.run(condition.list, { state: 'standing' })).items
  const news = async (panel: Panel) => {
    const found = await store(panel).untold(forever, forever)
    await store(panel).told(found)
    return { raised: found.raised.map(({ subject }) => subject), cleared: found.cleared.map(({ subject }) => subject) }
  }

  it('stand from when they are found until they are not, and each is told once and once more when it is over', async () => {
    const panel = await bench.panel()
    await store(panel).reconcile('disks', [full('/'), full('/srv')])
    await store(panel).reconcile('services', [{ subject: 'nginx', severity: 'critical', title: 'nginx has failed\0' }])
    expect(await news(panel)).toEqual({ raised: ['nginx', '/', '/srv'], cleared: [] })
    const [first] = await standing(panel)

    await store(panel).reconcile('disks', [full('/')])
    expect(await news(panel)).toEqual({ raised: [], cleared: ['/srv'] })
    expect(await news(panel)).toEqual({ raised: [], cleared: [] })
    expect((await standing(panel)).map(({ title }) => title)).toEqual(['nginx has failed\uFFFD', 'Disk / is full'])
    expect((await panel.run(condition.list, { state: 'cleared' })).items).toMatchObject([{ subject: '/srv' }])
    expect((await panel.run(condition.list, { severity: 'critical', source: 'services' })).items).toEqual([first])

    await store(panel).reconcile('disks', [full('/'), full('/srv')])
    expect(await news(panel)).toEqual({ raised: ['/srv'], cleared: [] })
  })

  it('that come back before anybody heard of their end, or end before anybody heard of them, are not told', async () => {
    const panel = await bench.panel()
    await store(panel).reconcile('disks', [full('/')])
    await store(panel).reconcile('disks', [])
    expect(await news(panel)).toEqual({ raised: [], cleared: [] })

    await store(panel).reconcile('disks', [full('/')])
    expect((await news(panel)).raised).toEqual(['/'])
    const before = await standing(panel)
    await store(panel).reconcile('disks', [])
    await store(panel).reconcile('disks', [full('/')])
    expect(await news(panel)).toEqual({ raised: [], cleared: [] })
    expect(await standing(panel)).toEqual(before)
  })

  it('that grow worse are told again, and those that get better are not', async () => {
    const panel = await bench.panel()
    await store(panel).reconcile('disks', [full('/')])
    await news(panel)
    await store(panel).reconcile('disks', [full('/', 'critical')])
    expect((await news(panel)).raised).toEqual(['/'])
    await store(panel).reconcile('disks', [full('/')])
    expect((await news(panel)).raised).toEqual([])
    expect(await standing(panel)).toMatchObject([{ severity: 'warning' }])
  })

  it('whose title is news are told again with another one, and others are not', async () => {
    const panel = await bench.panel()
    for (const [tellsNewTitle, told] of [
      [true, ['/']],
      [false, []],
    ] as const) {
      await store(panel).reconcile('disks', [{ ...full('/'), title: 'Disk / is full in 7 days', tellsNewTitle }])
      await news(panel)
      await store(panel).reconcile('disks', [{ ...full('/'), title: 'Disk / is full in 3 days', tellsNewTitle }])
      expect((await news(panel)).raised).toEqual(told)
    }
  })

  it('wait to be told until they have lasted', async () => {
    const panel = await bench.panel()
    const before = new Date(panel.clock.now - 1).toISOString()
    await store(panel).reconcile('disks', [full('/')])
    expect(await store(panel).untold(before, before)).toEqual({ raised: [], cleared: [] })
    await news(panel)
    await store(panel).reconcile('disks', [])
    expect(await store(panel).untold(forever, before)).toEqual({ raised: [], cleared: [] })
  })

  it('are bounded: the rest of a source is counted, and of those that are over the newest are kept', async () => {
    const panel = await bench.panel()
    const many = Array.from({ length: 1000 }, (_, index) =>
      full(`/mnt/${index}`, index === 999 ? 'critical' : 'warning'),
    )
    await store(panel).reconcile('disks', [...many, ...many])
    const rows = await panel.db.selectFrom('conditions').selectAll().execute()
    expect(rows).toHaveLength(201)
    expect(rows.find(({ subject }) => subject === 'others')).toMatchObject({
      title: '800 more of the same kind',
      severity: 'critical',
    })

    await store(panel).reconcile('disks', [])
    await store(panel).purgeClearedBefore('2000-01-01T00:00:00.000Z', 500)
    expect(await panel.db.selectFrom('conditions').selectAll().execute()).toHaveLength(201)
    await store(panel).reconcile('services', [full('a')])
    await store(panel).reconcile('services', [])
    await store(panel).purgeClearedBefore('2000-01-01T00:00:00.000Z', 1)
    expect(await panel.db.selectFrom('conditions').select('subject').execute()).toEqual([{ subject: 'a' }])
    await store(panel).purgeClearedBefore(forever, 500)
    expect(await panel.db.selectFrom('conditions').selectAll().execute()).toEqual([])
  })
})
