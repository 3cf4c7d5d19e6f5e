/** Attacks on what all tenants share, each beside the visitors of another site: their p99 against peace, their failed requests, and the growth of every place of docs/bounds.md. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Bench, type Figure, percentile, progress } from '../bench.ts'
import { ofVisitors } from '../needs.ts'
import { hostOf, Server } from '../server.ts'
import { rushFor, startRush, type Visits } from '../wrk.ts'
import { type Attack, attacker, victim, visitors } from './attack.ts'
import { guesses } from './guesses.ts'
import { places } from './places.ts'
import { sleepingNames } from './sleeping.ts'
import { slowBodies } from './slow-bodies.ts'
import { largeBodies, slowReaders } from './spools.ts'
import { stderrFlood } from './stderr.ts'

const attacks: readonly Attack[] = [stderrFlood, slowReaders, largeBodies, slowBodies, guesses, sleepingNames]

const peaceSeconds = 5
const attackMs = 10_000
const page = '<?php echo "hello";'

export const flood: Bench = {
  name: 'flood',
  needs: ofVisitors,
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
    await attack.prepare?.(server)
    const rounds: Round[] = []
    while (rounds.length < (attack.rounds ?? 1)) rounds.push(await oneRound(server, attack))
    return figuresOf(attack, rounds)
  } finally {
    await server.dispose()
  }
}

interface Round {
  readonly peace: Visits
  readonly meanwhile: Visits
  /** In the order of `places`. */
  readonly grown: readonly number[]
  readonly own: readonly Figure[]
}

async function oneRound(server: Server, attack: Attack): Promise<Round> {
  const rush = { port: server.ports.http, host: hostOf(victim), ...visitors }
  const peace = await rushFor(peaceSeconds, rush)
  const before = sizes(server)
  const underWay = await attack.begin(server)
  const running = startRush(rush)
  const most = await largest(server, attackMs)
  const meanwhile = await running.stop()
  const own = await underWay.stop()
  progress(`${attack.name}: p99 ${peace.p99.toFixed(1)} ms in peace, ${meanwhile.p99.toFixed(1)} ms meanwhile`)
  return { peace, meanwhile, grown: most.map((bytes, at) => bytes - (before[at] ?? 0)), own }
}

function figuresOf({ name, mostRatio }: Attack, rounds: readonly Round[]): readonly Figure[] {
  const median = (of: (round: Round) => number) => percentile(rounds.map(of), 50)
  const sum = (of: (round: Round) => number) => rounds.reduce((before, round) => before + of(round), 0)
  const failed = `${name}: victim's failed requests, of ${sum(({ meanwhile }) => meanwhile.requests)}`
  return [
    {
      name: `${name}: victim's p99 against peace`,
      value: median(({ peace, meanwhile }) => meanwhile.p99 / peace.p99),
      unit: 'ratio',
      target: mostRatio === null ? null : `<= ${mostRatio}`,
    },
    { name: `${name}: victim's p99 in peace`, value: median(({ peace }) => peace.p99), unit: 'ms', target: null },
    {
      name: `${name}: victim's p99 meanwhile`,
      value: median(({ meanwhile }) => meanwhile.p99),
      unit: 'ms',
      target: null,
    },
    { name: failed, value: sum(({ meanwhile }) => meanwhile.failed), unit: 'count', target: '<= 0' },
    ...places.map((place, at): Figure => {
      const value = Math.max(...rounds.map(({ grown }) => grown[at] ?? 0)) / 1e6
      return { name: `${name}: growth of ${place.name}`, value, unit: 'MB', target: `<= ${place.mostMb}` }
    }),
    ...(rounds.at(-1)?.own ?? []),
  ]
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
