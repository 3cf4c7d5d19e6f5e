/** Scale to zero: what sleeping tenants cost, how fast they wake in hard moments, and whether falling asleep loses a request. */
import { createHash, randomBytes } from 'node:crypto'
import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Figure, percentile, progress, timed } from './bench.ts'
import { siteName } from './fill.ts'
import { hostOf, type Server } from './server.ts'
import { memoryOfAll } from './usage.ts'

const singles = 40
const posts = 20
const duringRestarts = 20
const crowd = 50
const postBytes = 3_000_000
/** Asked at about the pace at which PHP falls asleep (5 to 10 s after its last worker ended, which is 10 s after its last request). */
const sleepy = { sites: 20, seconds: 90, shortestGapMs: 9_000, longestGapMs: 26_000 }
const asleepWithinMs = 90_000

/** Says who runs it and what it was sent. */
const page = '<?php echo posix_geteuid(), " ", md5(file_get_contents("php://input"));'

/** The sites of `server` are `siteName(0)` and so on, at least `sites` of them, and none is awake. */
export async function measureSleepers(server: Server, sites: number): Promise<readonly Figure[]> {
  const idle = idleFigures(server, sites)
  const names = Array.from({ length: Math.min(sites, singles + posts + duringRestarts + crowd) }, (_, at) =>
    siteName(at),
  )
  for (const name of names) server.putPage(name, page)
  const take = (count: number) => names.splice(0, Math.min(count, Math.ceil(names.length / 2)))

  progress('waking them one by one')
  const single: number[] = []
  for (const name of take(singles)) single.push(await timed(() => mustAnswer(server, name)))
  const posted: number[] = []
  for (const name of take(posts)) posted.push(await timed(() => mustAnswer(server, name, randomBytes(postBytes))))
  progress('while the panel is killed again and again')
  const restarted: number[] = []
  for (const name of take(duringRestarts)) {
    killPanel(server)
    restarted.push(await timed(() => mustAnswer(server, name)))
  }
  progress('many at once')
  const woken = names.splice(0, crowd)
  const all = await timed(() => Promise.all(woken.map((name) => mustAnswer(server, name))))
  const awake = awakeFigures(server)
  await untilAsleep(server)
  progress(`asking ${sleepy.sites} sites while they fall asleep`)
  const { failed, requests, starts } = await askSleepy(server)
  await untilAsleep(server)

  const ms = (name: string, value: number, target: Figure['target'] = '<= 150'): Figure => ({
    name,
    value,
    unit: 'ms',
    target,
  })
  return [
    ...idle,
    ms('cold first answer, p95', percentile(single, 95)),
    ms('cold first answer, p50', percentile(single, 50), null),
    ms('cold first answer to a POST of 3 MB, intact, p95', percentile(posted, 95)),
    ms('cold first answer while the panel is killed, p95', percentile(restarted, 95)),
    ms(`${woken.length} woken at once: until all have answered`, all, null),
    ...awake,
    { name: `falling asleep: failed requests, of ${requests}`, value: failed, unit: 'count', target: '<= 0' },
    { name: 'falling asleep: requests that found PHP stopped', value: starts, unit: 'count', target: '>= 1' },
  ]
}

function idleFigures(server: Server, sites: number): readonly Figure[] {
  const ours = [server.agentPid, server.child('panel'), server.child('waker'), server.webMaster, ...server.webWorkers()]
  return [
    { name: `processes of ${sites} idle tenants`, value: server.tenantProcesses(), unit: 'count', target: '<= 0' },
    {
      name: `memory of the product and nginx with ${sites} idle tenants, PSS`,
      value: memoryOfAll(ours).pss,
      unit: 'MB',
      target: null,
    },
  ]
}

/** What a master that stayed would hold for each tenant. */
function awakeFigures(server: Server): readonly Figure[] {
  const pids = server.tenantPids()
  const masters = server.awakeTenants()
  return [
    { name: 'awake tenants then', value: masters, unit: 'count', target: null },
    {
      name: 'memory of an awake tenant, with its workers: what a resident master costs, PSS',
      value: memoryOfAll(pids).pss / Math.max(1, masters),
      unit: 'MB',
      target: null,
    },
  ]
}

/** It is started again by itself. */
function killPanel(server: Server): void {
  try {
    process.kill(server.child('panel'), 'SIGKILL')
  } catch {
    // still on its way back from the last time
  }
}

async function askSleepy(server: Server) {
  const until = performance.now() + sleepy.seconds * 1000
  let failed = 0
  let requests = 0
  let starts = 0
  const visitor = async (name: string) => {
    while (performance.now() < until) {
      const wasAwake = server.isAwake(name)
      requests++
      try {
        await mustAnswer(server, name)
      } catch {
        failed++
      }
      if (!wasAwake) starts++
      const { shortestGapMs, longestGapMs } = sleepy
      await sleep(shortestGapMs + Math.random() * (longestGapMs - shortestGapMs))
    }
  }
  await Promise.all(Array.from({ length: sleepy.sites }, (_, at) => visitor(siteName(at))))
  return { failed, requests, starts }
}

async function untilAsleep(server: Server): Promise<void> {
  const deadline = performance.now() + asleepWithinMs
  while (server.tenantProcesses() > 0) {
    if (performance.now() > deadline) throw new Error('tenants that nobody asks for stay awake')
    await sleep(500)
  }
}

/** Throws unless PHP of the tenant has answered with what it was sent. */
async function mustAnswer(server: Server, name: string, body?: Buffer): Promise<void> {
  const expected = createHash('md5')
    .update(body ?? '')
    .digest('hex')
  const answer = await ask(server, name, body)
  if (!answer.endsWith(` ${expected}`)) throw new Error(`${name} answered ${answer.slice(0, 200)}`)
}

function ask(server: Server, name: string, body: Buffer | undefined): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const to = { host: '127.0.0.1', port: server.ports.http, path: '/index.php', agent: false as const, timeout: 60_000 }
  const headers = { host: hostOf(name), ...(body && { 'content-length': body.length }) }
  const sent = request({ ...to, headers, method: body ? 'POST' : 'GET' }, (response) => {
    let text = ''
    response.setEncoding('utf8').on('data', (part: string) => {
      text += part
    })
    response.on('error', reject)
    response.on('end', () => resolve(response.statusCode === 200 ? text : `${response.statusCode} ${text}`))
  })
  sent.on('timeout', () => sent.destroy(new Error('no answer in a minute')))
  sent.on('error', reject).end(body)
  return promise
}
