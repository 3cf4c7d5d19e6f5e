/** Guesses of passwords from a dozen networks: whether somebody who signed in before still gets in, and after how long. */
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { timed } from '../bench.ts'
import { person, visitor } from '../login-visitor.ts'
import type { Server } from '../server.ts'
import type { Attack } from './attack.ts'

const networks = 12
const ofEach = 18
const home = '127.1.1.1'
/** Longer than the attack is looked at. */
const floodMs = 12_000

export const guesses: Attack = {
  name: `${networks * ofEach} guessers of passwords in ${networks} networks`,
  mostRatio: null,
  async begin(server) {
    await server.call('POST', '/users', { ...person, role: 'system_admin' })
    await signIn(server)
    const addresses = Array.from({ length: networks * ofEach }, (_, at) => `127.20.${at % networks}.${1 + (at >> 4)}`)
    const workerData = { port: server.ports.panel, addresses }
    const guessers = new Worker(new URL('../login-guessers.ts', import.meta.url), { workerData })
    await once(guessers, 'message')
    const flood = once(guessers, 'message') as Promise<[readonly number[]]> // what login-guessers.ts posts
    guessers.postMessage(floodMs)
    const owner = signInAgainAndAgain(server)
    return {
      async stop() {
        const { ms, refused } = await owner.stop()
        const [statuses] = await flood
        const checked = statuses.filter((status) => status === 401).length
        const what = `${guesses.name}: sign-ins of one who did before`
        return [
          { name: `${what}, refused of ${ms.length}`, value: refused, unit: 'count', target: '<= 0' },
          { name: `${what}, slowest`, value: Math.max(...ms), unit: 'ms', target: '<= 5000' },
          { name: `${guesses.name}: checked, of ${statuses.length}`, value: checked, unit: 'count', target: null },
        ]
      },
    }
  },
}

function signInAgainAndAgain(server: Server) {
  const ms: number[] = []
  let refused = 0
  let isOver = false
  const all = (async () => {
    while (!isOver) {
      ms.push(await timed(() => signIn(server).catch(() => refused++)))
      await sleep(500)
    }
  })()
  return {
    async stop() {
      isOver = true
      await all
      return { ms, refused }
    },
  }
}

/** As a browser without a cookie: what is known is the network. */
async function signIn({ ports }: Server): Promise<void> {
  const { status } = await (await visitor(ports.panel, home)).post(person.password)
  if (status !== 303) throw new Error(`signing in answered ${status}`)
}
