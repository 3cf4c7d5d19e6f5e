/** A thousand new sites at once through the API, beside visitors of another site; and the classic way of the same work. */
import { type Bench, type Figure, progress } from './bench.ts'
import { Classic } from './classic.ts'
import { fill, siteName } from './fill.ts'
import { ofVisitors } from './needs.ts'
import { hostOf, Server } from './server.ts'
import { processorSeconds } from './usage.ts'
import { rushFor, startRush } from './wrk.ts'

const mostSites = 1000
const visitors = { connections: 4, pauseMs: 10 }
const calmSeconds = 15
/** The classic way is too slow for a thousand: so many are made where that many are, and the pace is told. */
const classicSamples = 10

export const bulk: Bench = {
  name: 'bulk',
  needs: ofVisitors,
  summary: 'creating 1,000 sites at once, and what that costs visitors of another site; beside it the classic way',
  async run({ sites }) {
    const count = Math.min(sites, mostSites)
    const ours = await measureOurs(count)
    const classicPace = await measureClassic(count)
    return [
      ...ours.figures,
      { name: `classic way at ${count} sites: sites`, value: classicPace, unit: 'per second', target: null },
      { name: 'bulk against the classic way', value: ours.pace / classicPace, unit: 'ratio', target: null },
    ]
  },
}

async function measureOurs(count: number): Promise<{ pace: number; figures: readonly Figure[] }> {
  const server = await Server.start()
  try {
    await server.createTenant('resident')
    await server.untilServed('resident')
    const rush = { port: server.ports.http, host: hostOf('resident'), ...visitors }
    const calm = await rushFor(calmSeconds, rush)
    progress(`visitors alone: p99 ${calm.p99.toFixed(1)} ms`)
    const [panel, agent] = [server.child('panel'), server.agentPid]
    const before = [panel, agent].map(processorSeconds)
    const meanwhile = startRush(rush)
    const seconds = await fill(server, 0, count)
    const { failed, requests, p99 } = await meanwhile.stop()
    const spent = [panel, agent].map((pid, place) => (processorSeconds(pid) - (before[place] ?? 0)) / count)
    await mustAllServe(server, count)
    const figures: Figure[] = [
      { name: `bulk creation of ${count} sites`, value: count / seconds, unit: 'per second', target: '>= 30' },
      { name: 'bulk: processor time of the panel for a site', value: (spent[0] ?? 0) * 1000, unit: 'ms', target: null },
      { name: 'bulk: processor time of the agent for a site', value: (spent[1] ?? 0) * 1000, unit: 'ms', target: null },
      { name: `bulk: failed requests of visitors, of ${requests}`, value: failed, unit: 'count', target: '<= 0' },
      { name: 'bulk: visitors, p99 before', value: calm.p99, unit: 'ms', target: null },
      { name: 'bulk: visitors, p99 meanwhile', value: p99, unit: 'ms', target: null },
      { name: 'bulk: visitors, p99 meanwhile against before', value: p99 / calm.p99, unit: 'ratio', target: '<= 1.5' },
    ]
    return { pace: count / seconds, figures }
  } finally {
    await server.dispose()
  }
}

async function mustAllServe(server: Server, count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    const status = await server.visit(siteName(index))
    if (status !== 200) throw new Error(`the site of ${siteName(index)} answered ${status}`)
  }
}

async function measureClassic(count: number): Promise<number> {
  const classic = await Classic.start(count)
  try {
    const started = performance.now()
    for (let index = 0; index < classicSamples; index++) await classic.createSite()
    return classicSamples / ((performance.now() - started) / 1000)
  } finally {
    await classic.dispose()
  }
}
