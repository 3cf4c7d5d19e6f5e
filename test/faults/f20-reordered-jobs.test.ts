/** F19 and F20: the line between panel and agent is cut, freezes, doubles, delays and reorders. */
import { setTimeout as pause } from 'node:timers/promises'
import { expect, it } from 'vitest'
import type { PanelMessage } from '../../src/contract/wire.ts'
import { Line } from './line.ts'
import { isWhole } from './rows.ts'
import { inWorld, siteOf, until, type World } from './world.ts'

const ends = [
  /^service ended$/,
  /^the line to the agent (failed|was closed)$/,
  /^panel broke the protocol; connection closed$/,
]

function onTheLine(fault: string, name: string, outcome: string, work: (world: World, line: Line) => Promise<void>) {
  return inWorld(fault, name, outcome, async (world) => {
    await world.createTenant('alpha')
    await world.settled()
    const line = await Line.between(world)
    try {
      await work(world, line)
    } finally {
      line.close()
    }
  })
}

const isJob = (message: PanelMessage): message is Extract<PanelMessage, { t: 'job' }> => message.t === 'job'

it(
  'is reconnected after a cut in the middle of a frame, and every job ends once',
  onTheLine(
    'F19',
    'line cut in the middle of a frame during jobs',
    'reconnected; each job ended once',
    async (world, line) => {
      for (let round = 0; round < (isWhole ? 20 : 4); round++) {
        await world.createTenant(`cut${'abcdefghijklmnopqrst'[round]}`)
        await pause(round * 15)
        line.cutMidFrame()
        await world.product.until('both are connected again', () => world.product.isConnected())
      }
      const jobs = await world.settled()
      expect(new Set(jobs.map(({ state }) => state))).toEqual(new Set(['succeeded']))
      await world.oracle(ends)
    },
  ),
)

it(
  'marks a job of a line that froze as stalled, and does not send a deletion again by itself',
  onTheLine(
    'F19',
    'line frozen during a deletion',
    'stalled after 30 s, sent once; its end stored when the line is back',
    async (world, line) => {
      const { product } = world
      let isBegun = false
      line.toPanel = (message) => {
        isBegun ||= message.t === 'accepted'
        if (isBegun) line.freeze()
        return [message]
      }
      await product.call('DELETE', '/domains/alpha.example.com')
      await until('the deletion has begun', () => isBegun)
      const deletion = async () => (await world.jobs()).find(({ type }) => type === 'domain.delete')

      await until('it is told as stalled', async () => (await deletion())?.state === 'stalled', 60_000)

      expect(line.saidByPanel.filter(isJob).filter(({ type }) => type === 'domain.delete')).toHaveLength(1)
      expect(await product.visit(siteOf('neighbour'))).toBe(200)
      line.toPanel = (message) => [message]
      line.thaw()
      await until('its end is known', async () => (await deletion())?.state === 'succeeded', 30_000)
      // it dials anew, perhaps before the panel has seen the end of the frozen line
      await world.oracle([...ends, /^a job has stalled$/, /^a second agent was turned away$/])
    },
  ),
)

it(
  'does a job once that arrives many times',
  onTheLine('F20', 'every job sent three times', 'done once, the stored result told again', async (world, line) => {
    line.toAgent = (message) => (isJob(message) ? [message, message, message] : [message])
    await world.createTenant('thrice')
    await world.settled()
    await world.product.call('POST', '/tenants/thrice/suspend')
    await world.settled()
    await world.product.call('POST', '/tenants/thrice/unsuspend')
    await world.settled()
    const begun = line.saidByAgent.flatMap((message) => (message.t === 'accepted' ? [message.job] : []))
    expect(new Set(begun).size).toBe(begun.length)
    await world.oracle(ends)
  }),
)

it(
  'refuses a deletion that arrives after the restore that was asked for later',
  onTheLine('F20', 'late delete after a restore', 'stale; the restored site is served', async (world, line) => {
    const { product } = world
    await product.call('DELETE', '/domains/alpha.example.com')
    await world.settled()
    await product.call('POST', '/domains/alpha.example.com/restore')
    await world.settled()
    expect(await product.visit(siteOf('alpha'))).toBe(200)
    const deletion = line.saidByPanel.filter(isJob).find(({ type }) => type === 'domain.delete')
    if (deletion === undefined) throw new Error('the deletion was not seen on the line')

    line.tellAgent(deletion)
    line.tellAgent({ ...deletion, job: crypto.randomUUID() as typeof deletion.job })
    const answers = () =>
      line.saidByAgent.flatMap((one) => (one.t === 'finished' && one.token === deletion.token ? [one] : []))
    await until('both were answered', () => answers().length >= 3)

    expect(
      answers()
        .slice(-2)
        .map(({ failure }) => failure?.code),
    ).toEqual(['stale', 'stale'])
    expect(await product.visit(siteOf('alpha'))).toBe(200)
    await world.oracle([...ends, /^the agent tells of an unknown job$/])
  }),
)

it(
  'refuses another job under a token that was used',
  onTheLine(
    'F20',
    'another payload under a used token',
    'conflict and an alarm; nothing changed',
    async (world, line) => {
      const { product } = world
      await product.call('POST', '/tenants/alpha/suspend')
      await world.settled()
      await product.call('POST', '/tenants/alpha/unsuspend')
      await world.settled()
      const last = line.saidByPanel.filter(isJob).find(({ type }) => type === 'tenant.unsuspend')
      if (last === undefined) throw new Error('the job was not seen on the line')

      line.tellAgent({ ...last, job: crypto.randomUUID() as typeof last.job, type: 'tenant.delete' })
      const answer = () => line.saidByAgent.findLast((one) => one.t === 'finished')
      await until('it is answered', () => answer()?.failure !== null)

      expect(answer()).toMatchObject({ failure: { code: 'conflict' } })
      expect(await product.visit(siteOf('alpha'))).toBe(200)
      await world.oracle([...ends, /^job contradicts one that was accepted$/, /^the agent tells of an unknown job$/])
    },
  ),
)
