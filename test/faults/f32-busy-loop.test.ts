/** F32: inputs that would keep the panel's event loop, and a panel or an agent that hangs. */
import { request } from 'node:http'
import { expect, it } from 'vitest'
import { inject } from './injected.ts'
import { inWorld, siteOf, until, type World } from './world.ts'

/** Status of what is answered to a body on root's own socket; `cut` when the connection was ended instead. */
function send({ product }: World, body: string, type = 'application/json'): Promise<number | 'cut'> {
  const { promise, resolve } = Promise.withResolvers<number | 'cut'>()
  const headers = { host: 'localhost', 'content-type': type, 'content-length': Buffer.byteLength(body) }
  const options = { socketPath: product.places.cliSocket, path: '/api/v1/tenants', method: 'POST', headers }
  const sent = request(options, (answer) => resolve(answer.statusCode ?? 0))
  sent.on('error', () => resolve('cut')).end(body)
  return promise
}

/** What a regular expression that goes back and forth, or a reader that calls itself, would hang or die on. */
const bodies: readonly (readonly [string, string])[] = [
  ['50 MB of JSON', JSON.stringify({ name: 'x'.repeat(50_000_000) })],
  ['100,000 brackets', '['.repeat(100_000)],
  ['a name of 200,000 dots', JSON.stringify({ name: 'alpha', package: 'basic', domain: '.'.repeat(200_000) })],
  ['a name of 200,000 dashes', JSON.stringify({ name: 'alpha', package: 'basic', domain: `a${'-'.repeat(200_000)}` })],
  ['a tenant of 200,000 letters', JSON.stringify({ name: `${'a'.repeat(200_000)}!`, package: 'basic' })],
  ['100,000 fields', JSON.stringify(Object.fromEntries(Array.from({ length: 20_000 }, (_, n) => [`f${n}`, n])))],
]

it(
  'refuses what is too long, too deep or endless, and answers others meanwhile',
  inWorld('F32', 'bodies that keep a parser busy', 'refused; the same panel answers others', async (world) => {
    const { product } = world
    const { panel } = product.pids
    for (const [what, body] of bodies) {
      const [refused] = await Promise.all([send(world, body), product.call('GET', '/tenants')])
      expect({ what, refused }).toEqual({ what, refused: expect.toBeOneOf([400, 413, 422, 'cut']) })
    }
    expect(product.pids.panel).toBe(panel)
    await world.oracle()
  }),
)

it(
  'brings a job to its end while the panel hangs, and the panel learns of it',
  inWorld(
    'F32',
    'panel that hangs during a job',
    'the job ended, sites served; told when it is back',
    async (world) => {
      const { product } = world
      const { panel = -1 } = product.pids
      const ends = () => product.output.split('"msg":"job ended"').length
      const before = ends()
      const injection = await inject(product.pids.agent, 'rename,renameat,renameat2', 'delay_enter=2s:when=1')
      await world.createTenant('alpha')
      await until('the job runs', async () => (await world.jobs()).some(({ state }) => state === 'running'))
      process.kill(panel, 'SIGSTOP')
      try {
        await until('the root side has ended a job', () => ends() > before)
        expect(await product.visit(siteOf('neighbour'))).toBe(200)
      } finally {
        process.kill(panel, 'SIGCONT')
        await injection.end()
      }

      const jobs = await world.settled()
      expect(new Set(jobs.map(({ state }) => state))).toEqual(new Set(['succeeded']))
      expect(product.pids.panel).toBe(panel)
      await world.oracle()
    },
  ),
)

it(
  'tells a job that a hanging agent does not take as stalled, which can be cancelled or is taken up',
  inWorld(
    'F32',
    'agent that hangs before a job',
    'stalled after 30 s, unsent; cancelled, or taken up',
    async (world) => {
      const { product } = world
      const { agent } = product.pids
      const jobOf = async (name: string) => (await world.jobs()).find(({ resourceName }) => resourceName === name)
      const become = (name: string, state: string) =>
        until(`${name} is ${state}`, async () => (await jobOf(name))?.state === state, 60_000)
      process.kill(agent, 'SIGSTOP')
      try {
        for (const name of ['alpha', 'beta']) await product.call('POST', '/tenants', { name, package: 'basic' })
        for (const name of ['alpha', 'beta']) await become(name, 'stalled')
        expect(await jobOf('alpha')).toMatchObject({ attempts: 0, startedAt: null })
        await product.call('POST', `/jobs/${(await jobOf('beta'))?.id}/cancel`)
      } finally {
        process.kill(agent, 'SIGCONT')
      }

      await become('alpha', 'succeeded')
      expect((await jobOf('beta'))?.state).toBe('cancelled')
      expect(product.pids.agent).toBe(agent)
      await world.oracle([/^a job has stalled$/])
    },
  ),
)
