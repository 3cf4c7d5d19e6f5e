/** Five hundred people at the login at once, all of them guessing: what it takes of memory, and how long other pages wait. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { type Bench, percentile, timed } from './bench.ts'
import { person, type Visitor, visitor } from './login-visitor.ts'
import { ofServer } from './needs.ts'
import { Server } from './server.ts'

const inFlight = 500
const floodMs = 20_000

export const login: Bench = {
  name: 'login',
  needs: ofServer,
  summary: `${inFlight} sign-ins in flight beside somebody who reads pages`,
  async run() {
    const server = await Server.start()
    try {
      await server.call('POST', '/users', { ...person, role: 'system_admin' })
      const { panel: port } = server.ports
      const pid = server.child('panel')
      const reader = await signIn(port)
      const addresses = Array.from({ length: inFlight }, (_, at) => `127.${10 + (at >> 8)}.${at & 255}.1`)
      const guessers = new Worker(new URL('./login-guessers.ts', import.meta.url), {
        workerData: { port, addresses },
      })
      await once(guessers, 'message')
      for (let page = 0; page < 50; page++) await read(reader)
      const quiet = await pages(reader, 3000)
      const before = residentMb(pid)

      const flood = once(guessers, 'message') as Promise<[readonly number[]]> // what login-guessers.ts posts
      guessers.postMessage(floodMs)
      const memory = peakOf(pid, floodMs)
      const busy = await pages(reader, floodMs)
      const [statuses] = await flood
      const count = (status: number) => statuses.filter((one) => one === status).length

      return [
        {
          name: `panel: growth of RSS with ${inFlight} sign-ins in flight`,
          value: (await memory) - before,
          unit: 'MB',
          target: '<= 300',
        },
        { name: 'another page meanwhile, p99', value: percentile(busy, 99), unit: 'ms', target: '<= 200' },
        { name: 'another page before, p99', value: percentile(quiet, 99), unit: 'ms', target: null },
        { name: `passwords checked, of ${statuses.length} sign-ins`, value: count(401), unit: 'count', target: null },
        { name: 'told to come back later', value: count(429), unit: 'count', target: null },
        {
          name: 'answered in any other way',
          value: statuses.length - count(401) - count(429),
          unit: 'count',
          target: '<= 0',
        },
      ]
    } finally {
      await server.dispose()
    }
  },
}

async function signIn(port: number): Promise<Visitor> {
  const reader = await visitor(port, '127.1.1.1')
  const { status } = await reader.post(person.password)
  if (status !== 303) throw new Error(`signing in answered ${status}`)
  return reader
}

/** A page each 10 ms after the last one; milliseconds of each. */
async function pages(reader: Visitor, ms: number): Promise<readonly number[]> {
  const until = performance.now() + ms
  const samples: number[] = []
  while (performance.now() < until) {
    samples.push(await timed(() => read(reader)))
    await sleep(10)
  }
  return samples
}

async function read(reader: Visitor): Promise<void> {
  const { status } = await reader.send('GET', '/account')
  if (status !== 200) throw new Error(`the page answered ${status}`)
}

async function peakOf(pid: number, ms: number): Promise<number> {
  const until = performance.now() + ms
  let peak = 0
  while (performance.now() < until) {
    peak = Math.max(peak, residentMb(pid))
    await sleep(20)
  }
  return peak
}

function residentMb(pid: number): number {
  return Number(/^VmRSS:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
}
