/** What one more site costs beside 10, 100, 1,000 and 10,000 others, and what 10,000 sleeping ones cost. */
import { type Bench, type Figure, percentile, progress, timed } from './bench.ts'
import { Classic } from './classic.ts'
import { fill, siteName } from './fill.ts'
import { ofServer } from './needs.ts'
import { Server } from './server.ts'
import { createAndServe } from './site.ts'
import { measureSleepers } from './sleepers.ts'
import { memoryOf, memoryOfAll, processorSeconds } from './usage.ts'

const smallest = 10
const stages = [100, 1000, 10_000]
const samples = 20
/** The classic way takes seconds for a site: so many are made at a stage. */
const classicSamples = 3
/** The bench's own sleepers must stop while it looks. */
const settings = 'php_idle_seconds: 5\n'

/**
 * At each stage sites are made in turn on a server that has as many and on one that has ten, so that both see the same
 * machine: other work on it makes both slower, and leaves their ratio.
 */
export const scale: Bench = {
  name: 'scale',
  needs: ofServer,
  summary:
    'a new site beside 10, 100, 1,000 and 10,000 others, in turn on a large and a small server; sleeping tenants',
  async run({ sites }) {
    const small = await Grown.start()
    const large = await Grown.start()
    try {
      await small.growTo(smallest)
      const figures: Figure[] = []
      for (const stage of [...stages.filter((one) => one < sites), sites]) {
        await large.growTo(stage)
        figures.push(...(await compare(small, large, stage, stage === sites)))
        figures.push(...(await classicAt(stage)))
      }
      await small.server.dispose()
      return [...figures, ...(await measureSleepers(large.server, sites))]
    } finally {
      await small.server.dispose()
      await large.server.dispose()
    }
  },
}

class Grown {
  readonly server: Server
  #sites = 0

  private constructor(server: Server) {
    this.server = server
  }

  static async start(): Promise<Grown> {
    return new Grown(await Server.start(settings))
  }

  async growTo(sites: number): Promise<void> {
    if (sites <= this.#sites) return
    const added = sites - this.#sites
    const seconds = await fill(this.server, this.#sites, sites)
    this.#sites = sites
    progress(`${sites} sites are there; the last ${added} took ${seconds.toFixed(1)} s`)
  }

  /** One more. @returns milliseconds from the request to the first 200 */
  async one(): Promise<number> {
    const name = siteName(this.#sites++)
    return await timed(() => createAndServe(this.server, name))
  }

  processorSeconds(): Record<Part, number> {
    const { agentPid, webMaster } = this.server
    const web = [webMaster, ...this.server.webWorkers()].reduce((sum, pid) => sum + processorSeconds(pid), 0)
    return { panel: processorSeconds(this.server.child('panel')), agent: processorSeconds(agentPid), nginx: web }
  }
}

type Part = 'panel' | 'agent' | 'nginx'
const parts = ['panel', 'agent', 'nginx'] as const

async function compare(small: Grown, large: Grown, stage: number, isLargest: boolean): Promise<readonly Figure[]> {
  for (const grown of [small, large]) await grown.one() // warm
  const both = [small, large] as const
  const times: readonly number[][] = [[], []]
  const before = both.map((grown) => grown.processorSeconds())
  for (let round = 0; round < samples; round++) {
    for (const [place, grown] of both.entries()) times[place]?.push(await grown.one())
  }
  for (const { server } of both) await server.untilQuiet()
  const spent = both.map((grown, place) => {
    const now = grown.processorSeconds()
    const of = (part: Part) => ((now[part] - (before[place]?.[part] ?? 0)) * 1000) / samples
    return { panel: of('panel'), agent: of('agent'), nginx: of('nginx') }
  })
  const cost = (place: number) => parts.reduce((sum, part) => sum + (spent[place]?.[part] ?? 0), 0)
  const p50 = (place: number) => percentile(times[place] ?? [], 50)
  const at = `at ${stage} sites: `
  const ms = (name: string, value: number): Figure => ({ name: `${at}${name}`, value, unit: 'ms', target: null })
  const target = isLargest ? '<= 1.2' : null
  return [
    ms('request to first 200, p50', p50(1)),
    ms('request to first 200, p95', percentile(times[1] ?? [], 95)),
    ms('the same in turn at 10 sites, p50', p50(0)),
    { name: `${at}p50 against 10 sites`, value: p50(1) / p50(0), unit: 'ratio', target },
    ...parts.map((part) => ms(`processor time of ${part} for a site`, spent[1]?.[part] ?? 0)),
    { name: `${at}processor time against 10 sites`, value: cost(1) / cost(0), unit: 'ratio', target },
    ...memoryFigures(large.server, at),
  ]
}

function memoryFigures(server: Server, at: string): readonly Figure[] {
  const web = memoryOfAll([server.webMaster, ...server.webWorkers()])
  const held = { panel: memoryOf(server.child('panel')), agent: memoryOf(server.agentPid), nginx: web }
  return parts.flatMap((part): readonly Figure[] => [
    { name: `${at}memory of ${part}, PSS`, value: held[part].pss, unit: 'MB', target: null },
    { name: `${at}memory of ${part}, anonymous`, value: held[part].anonymous, unit: 'MB', target: null },
  ])
}

/** The same, one server block and one pool for each site. */
async function classicAt(stage: number): Promise<readonly Figure[]> {
  progress(`the classic way with ${stage} sites`)
  const classic = await Classic.start(stage)
  try {
    const times: number[] = []
    for (let round = 0; round < classicSamples; round++) times.push(await timed(() => classic.createSite()))
    const cold: number[] = []
    for (let index = 0; index < samples && index < stage; index++) cold.push(await classic.cold(index))
    const { web, fpm } = classic.pids()
    const at = `classic at ${stage} sites: `
    return [
      { name: `${at}new site, p50`, value: percentile(times, 50), unit: 'ms', target: null },
      { name: `${at}cold answer ("ondemand" pools), p95`, value: percentile(cold, 95), unit: 'ms', target: null },
      { name: `${at}memory of nginx, PSS`, value: memoryOfAll(web).pss, unit: 'MB', target: null },
      { name: `${at}memory of PHP-FPM, PSS`, value: memoryOfAll(fpm).pss, unit: 'MB', target: null },
    ]
  } finally {
    await classic.dispose()
  }
}
