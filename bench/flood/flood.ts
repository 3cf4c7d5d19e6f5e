/** Attacks on what all tenants share, each beside the visitors of another site: their p99 against peace, their failed requests, and the growth of every place of docs/bounds.md. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Bench, type Figure, progress } from '../bench.ts'
import { hostOf, Server } from '../server.ts'
import { rushFor, startRush } from '../wrk.ts'
import { type Attack, attacker, victim } from './attack.ts'
import { guesses } from './guesses.ts'
import { places } from './places.ts'
import { sleepingNames } from './sleeping.ts'
import { slowBodies } from './slow-bodies.ts'
import { largeBodies, slowReaders } from './spools.ts'
import { stderrFlood } from './stderr.ts'

const attacks: readonly Attack[] = [stderrFlood, slowReaders, largeBodies, slowBodies, guesses, sleepingNames]

const peaceSeconds = 5
const attackMs = 10_000
const visitors = { connections: 4, pauseMs: 10 }
const page = '<?php echo "hello";'

export const flood: Bench = {
  name: 'flood',
  summary: 'attacks of a tenant or a visitor on what all share, each beside the visitors of another site',
  async run() {
    const figures: Figure[] = []
    for (const attack of attacks) figures.push(...(await underAttack(attack)))
    return figures
  },
}

async function underAttack(attack: Attack): Promise<readonly Figure[]> {
  const server = await Server.start(attack.settings)
  try {
    for (const name of [attacker, victim]) {
      await server.createTenant(name)
      await server.untilServed(name)
    }
    await server.untilQuiet()
    for (const name of [attacker, victim]) {
      server.putPage(name, page)
      await server.untilServed(name)
    }
    const rush = { port: server.ports.http, host: hostOf(victim), ...visitors }
    const peace = await rushFor(peaceSeconds, rush)
    progress(`${attack.name}; in peace p99 ${peace.p99.toFixed(1)} ms`)
    const before = sizes(server)
    const underWay = await attack.begin(server)
    const meanwhile = startRush(rush)
    const most = await largest(server, attackMs)
    const { p99, failed, requests } = await meanwhile.stop()
    const own = await underWay.stop()
    const { name, mostRatio } = attack
    return [
      {
        name: `${name}: victim's p99 against peace`,
        value: p99 / peace.p99,
        unit: 'ratio',
        target: mostRatio === null ? null : `<= ${mostRatio}`,
      },
      { name: `${name}: victim's failed requests, of ${requests}`, value: failed, unit: 'count', target: '<= 0' },
      ...places.map((place, at): Figure => {
        const value = ((most[at] ?? 0) - (before[at] ?? 0)) / 1e6
        return { name: `${name}: growth of ${place.name}`, value, unit: 'MB', target: `<= ${place.mostMb}` }
      }),
      ...own,
    ]
  } finally {
    await server.dispose()
  }
}

function sizes(server: Server): readonly number[] {
  return places.map((place) => place.bytes(server))
}

/** The most that each place held within the time. */
async function largest(server: Server, ms: number): Promise<readonly number[]> {
  const until = performance.now() + ms
  let most = sizes(server)
  while (performance.now() < until) {
    await sleep(200)
    const now = sizes(server)
    most = most.map((size, at) => Math.max(size, now[at] ?? 0))
  }
  return most
}
