/** The prober over both stores, beside a web server that answers what the test says: trouble begins, is told, and is over. */
import { createServer, type Server, type Socket } from 'node:net'
import { pino } from 'pino'
import { afterEach, expect, it } from 'vitest'
import { failingSites } from '../../src/resources/probe/conditions.ts'
import { type ProbePace, siteProber } from '../../src/resources/probe/prober.ts'
import type { ProbeNews } from '../../src/resources/probe/store.ts'
import { slices } from '../support/slices.ts'
import { onBothStores } from './both-stores.ts'
import type { Panel } from './harness.ts'

const fqdn = 'www.example.com'
const good = 'HTTP/1.1 204 No Content\r\n\r\n'
const bad = 'HTTP/1.1 502 Bad Gateway\r\n\r\n'
const closed = 'HTTP/1.1 503 Service Temporarily Unavailable\r\nRetry-After: 3600\r\n\r\n'

let server: Server | undefined
const sockets = new Set<Socket>()

afterEach(() => {
  for (const socket of sockets) socket.destroy()
  server?.close()
})

async function webServer(): Promise<{ answer: string; port: number; asked: number }> {
  const web = { answer: good, port: 0, asked: 0 }
  server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('data', () => {
      web.asked++
      socket.write(web.answer)
    })
  })
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return Object.assign(web, { port: typeof address === 'object' && address !== null ? address.port : 0 })
}

function proberOf(panel: Panel, port: number, pace: Partial<ProbePace> = {}) {
  return siteProber({
    db: panel.db,
    storesOf: panel.stores,
    web: { visit: async () => ({ failure: 'not asked' }), nameServers: ['127.0.0.1:9'] },
    ports: () => ({ http: port, https: 1 }),
    log: pino({ level: 'silent' }),
    slots: 1,
    ...pace,
  })
}

async function withSite(panel: Panel) {
  await panel.run(slices.package.create, { name: 'basic' })
  await panel.run(slices.tenant.create, { name: 'acme' })
  await panel.work()
  const { id } = await panel.run(slices.domain.create, { tenant: 'acme', fqdn })
  await panel.work()
  return id
}

const conditions = async (panel: Panel) =>
  await failingSites.find({ stores: panel.stores(panel.db), now: new Date().toISOString() } as never)
const shown = (panel: Panel) => panel.run(slices.probe.get, { domain: fqdn })

onBothStores('probes', (bench) => {
  it('take turns over several minutes where there are more sites than looks', async () => {
    const panel = await bench.panel()
    await withSite(panel)
    await panel.run(slices.domain.create, { tenant: 'acme', fqdn: 'blog.example.com' })
    await panel.work()
    const web = await webServer()
    const prober = proberOf(panel, web.port, { looks: 1, tickMs: 60_000 })

    for (let minute = 0; minute < 4; minute++) await prober.wake()

    expect(web.asked).toBe(4)
    await prober.stop()
  })

  it('tell after three failures in a row, also over a restart, and with the first answer that it is over', async () => {
    const panel = await bench.panel()
    await withSite(panel)
    const web = await webServer()
    const first = proberOf(panel, web.port)
    await first.wake()
    expect(await shown(panel)).toMatchObject({ state: 'up', failingSince: null, recent: [{ state: 'up' }] })

    web.answer = bad
    for (let n = 0; n < 2; n++) await first.wake()
    expect(await conditions(panel)).toEqual([])
    await first.wake()
    expect(await conditions(panel)).toMatchObject([
      { severity: 'critical', detail: 'status 502', title: expect.stringContaining(fqdn) },
    ])
    await first.stop()

    const second = proberOf(panel, web.port)
    await second.wake()
    expect(await conditions(panel)).toHaveLength(1)
    web.answer = good
    await second.wake()
    expect(await conditions(panel)).toEqual([])
    await second.stop()

    const { days, recent } = await shown(panel)
    expect(days).toMatchObject([{ up: 2, down: 4, closed: 0 }])
    expect(recent.map(({ state }) => state)).toEqual(['up', 'down', 'down', 'down', 'down', 'up'])
  })

  it('do not count a suspension as a failure', async () => {
    const panel = await bench.panel()
    await withSite(panel)
    const web = await webServer()
    web.answer = closed
    const prober = proberOf(panel, web.port)
    for (let n = 0; n < 5; n++) await prober.wake()
    await prober.stop()

    expect(await conditions(panel)).toEqual([])
    expect(await shown(panel)).toMatchObject({ state: 'closed', days: [{ up: 0, down: 0, closed: 5 }] })
  })

  it('keep a row of a bounded size, and none of a site that is gone', async () => {
    const panel = await bench.panel()
    const id = await withSite(panel)
    const news = (day: number): ProbeNews => {
      const at = new Date(Date.UTC(2026, 0, 1 + day)).toISOString()
      const days = [{ day: at.slice(0, 10), up: 1440, down: 0, closed: 0, ms: 1 }]
      const recent = Array.from({ length: 60 }, () => ({ at, state: 'up' as const, ms: 1, problem: '' }))
      return { state: 'up', checkedAt: at, failingSince: null, problem: null, https: null, dns: null, days, recent }
    }
    for (let day = 0; day < 120; day++) await panel.stores(panel.db).probes.add(id, news(day))

    const { days, recent } = await shown(panel)
    expect([days.length, recent.length]).toEqual([90, 60])
    expect(days.at(-1)?.day).toBe('2026-04-30')
    await panel.stores(panel.db).probes.add('00000000-0000-4000-8000-000000000000' as never, news(0))
    expect(await panel.db.selectFrom('site_probes').select('id').execute()).toHaveLength(1)
  })

  it('ask for the first page where that was chosen', async () => {
    const panel = await bench.panel()
    await withSite(panel)
    await panel.run(slices.probe.update, { domain: fqdn, deep: true })
    const web = await webServer()
    const prober = proberOf(panel, web.port)
    await prober.wake()
    await prober.stop()

    expect(await shown(panel)).toMatchObject({
      deep: true,
      recent: [{ state: 'down', problem: 'the first page: not asked' }],
    })
  })
})
