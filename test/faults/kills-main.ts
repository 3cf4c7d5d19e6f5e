/** F01 as a loop: `kill -9` of the agent at moments nobody chose, while 20 clients want things; then the history must be right. */
import { setTimeout as pause } from 'node:timers/promises'
import { executable } from '../support/executable.ts'
import { processesOf } from '../support/processes.ts'
import { Product } from '../support/product.ts'
import { disagreements, readHistory } from './crash-world.ts'
import { type ClientEvent, violations } from './history.ts'
import { unexpectedLines } from './log-lines.ts'
import { ask, type Request } from './recording-client.ts'
import { isWhole, row } from './rows.ts'

const kills = isWhole ? 48 : 6
const clients = 20
const tenants = 30
/** Longest time from a start until the next kill. */
const longestLifeMs = 1500
const settleMs = 180_000

const product = await Product.serving({ command: [executable()] })
const record: ClientEvent[] = []
try {
  await product.call('POST', '/packages', { name: 'small', cpuPct: 50, memMb: 256, pids: 32 })
  await product.call('POST', '/packages', { name: 'large', cpuPct: 100, memMb: 512, pids: 64 })
  const load = startLoad()
  for (let done = 0; done < kills; done++) {
    await pause(Math.random() * longestLifeMs)
    await product.restart('SIGKILL')
    console.error(`[kills] ${done + 1} of ${kills}`)
  }
  await load.stop()
  const wrong = await judge()
  for (const what of wrong) console.error(`[kills] FAILED: ${what}`)
  const jobs = record.filter(({ at }) => at === 'acknowledge').length
  const resumed = product.output.split('"job is resumed"').length - 1
  const unknown = record.filter(({ at }) => at === 'lose').length
  const outcome = `${jobs} acknowledged jobs kept, ${resumed} resumed, ${unknown} requests of unknown outcome`
  row({
    fault: 'F01',
    name: 'agent killed at random',
    cases: kills,
    failed: Math.min(kills, wrong.length),
    outcome: wrong[0] ?? outcome,
  })
  if (wrong.length > 0) process.exitCode = 1
} finally {
  await product.dispose()
}

function startLoad(): { stop(): Promise<void> } {
  let isOver = false
  const all = Array.from({ length: clients }, async () => {
    while (!isOver) {
      const outcome = await ask(product, record, someRequest())
      await pause(outcome === 'unknown' ? 200 : 20)
    }
  })
  return {
    async stop() {
      isOver = true
      await Promise.all(all)
    },
  }
}

/** Deletions are rare: the agent accepts 200 an hour, and what is deleted is not there for the others. */
function someRequest(): Request {
  const name = `tenant${Math.floor(Math.random() * tenants)}`
  const fqdn = `${name}.example.com`
  const post = (path: string, body?: Request['body']): Request => ({ method: 'POST', path, ...(body && { body }) })
  const requests: readonly (readonly [number, Request])[] = [
    [30, post('/tenants', { name, package: 'small', domain: fqdn })],
    [10, { method: 'PATCH', path: `/tenants/${name}`, body: { package: Math.random() < 0.5 ? 'small' : 'large' } }],
    [10, post(`/tenants/${name}/suspend`)],
    [10, post(`/tenants/${name}/unsuspend`)],
    [10, post(`/domains/${fqdn}/suspend`)],
    [10, post(`/domains/${fqdn}/unsuspend`)],
    [10, { method: 'PATCH', path: `/domains/${fqdn}`, body: { aliases: [`a${Date.now() % 7}.${fqdn}`] } }],
    [2, { method: 'DELETE', path: `/domains/${fqdn}` }],
    [10, post(`/domains/${fqdn}/restore`)],
    [2, { method: 'DELETE', path: `/tenants/${name}` }],
    [10, post(`/tenants/${name}/restore`)],
  ]
  return oneOf(requests)
}

/** The more often the greater its weight. */
function oneOf<T>(all: readonly (readonly [weight: number, T])[]): T {
  const tickets = all.flatMap(([weight, one]) => Array.from({ length: weight }, () => one))
  const drawn = tickets[Math.floor(Math.random() * tickets.length)]
  if (drawn === undefined) throw new Error('nothing to choose from')
  return drawn
}

async function judge(): Promise<readonly string[]> {
  const deadline = performance.now() + settleMs
  while ((await openJobs()) > 0 && performance.now() < deadline) await pause(250)
  const { items } = (await product.call('GET', '/health/drift')) as { items: readonly { resource: string }[] }
  const audit = (await product.call('GET', '/audit/verify')) as { problems: readonly { message: string }[] }
  await product.stop()
  const { nginx } = product.pids
  const left = processesOf(product.root).filter(({ pid, parent }) => pid !== nginx && parent !== nginx)
  return [
    ...violations(readHistory(product.places, record, product.output)),
    ...disagreements(product.places),
    ...items.map(({ resource }) => `drift of ${resource}`),
    ...audit.problems.map(({ message }) => `audit: ${message}`),
    ...left.map(({ pid, words }) => `left behind: ${pid} ${words.join(' ')}`),
    ...unexpectedLines(product.output, 'SIGKILL'),
  ]
}

async function openJobs(): Promise<number> {
  const counts = ['queued', 'running', 'stalled'].map(async (state) => {
    const { items } = (await product.call('GET', `/jobs?state=${state}&limit=1`)) as { items: readonly unknown[] }
    return items.length
  })
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0)
}
