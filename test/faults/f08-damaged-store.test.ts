/** F08: a store is damaged, missing, read-only, or without its log; of the panel and of the agent. */
import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  fchownSync,
  openSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { isWhole } from './rows.ts'
import { inWorld, refusal, siteOf, until, type World } from './world.ts'

const ends = [/^service ended$/, /^Cannot use the store: /, /^job is resumed$/, /^a job failed$/]

type Damage = (file: string) => void

/** Whatever was in the middle of the file: random bytes, the same each time. */
const scribbled: Damage = (file) => {
  const { size } = statSync(file)
  const target = openSync(file, 'r+')
  for (let at = 4096; at < size; at += 3 * 4096) writeSync(target, Buffer.alloc(512, 0xa5), 0, 512, at)
  closeSync(target)
}
const noDatabase: Damage = (file) => {
  const target = openSync(file, 'r+')
  writeSync(target, Buffer.alloc(4096, 'x'), 0, 4096, 0)
  closeSync(target)
}

const storeOf = ({ product }: World) => join(product.places.panelState, 'state.db')

async function crash({ product }: World): Promise<void> {
  product.kill('SIGKILL')
  await product.ended()
  await until('the panel has ended', () => product.pids.panel === undefined)
}

/** Starts the agent and waits for its word only: the panel may be unable to start. */
async function startAgent({ product }: World): Promise<void> {
  const before = product.output.length
  product.begin()
  await product.until('the agent is ready', () => product.output.slice(before).includes('"agent is ready"'))
}

const damages: readonly (readonly [string, Damage])[] = [
  ['scribbled over', scribbled],
  ['no database any more', noDatabase],
  ['read-only', (file) => chmodSync(file, 0o400)],
]

it.each(isWhole ? damages : damages.slice(0, 2))(
  "a panel's store that is %s stops the panel alone, with one line",
  (what, damage) =>
    inWorld('F08', `state.db ${what}`, 'one line, no storm; sites served; back with the copy', async (world) => {
      const { product } = world
      await product.stop()
      const file = storeOf(world)
      copyFileSync(file, `${file}.copy`)
      damage(file)
      const before = product.output.length

      await startAgent(world)
      await until('the panel says why', () => product.output.slice(before).includes('Cannot '), 20_000)
      await pause(3000)

      const said = product.output.slice(before).split('\n')
      expect(said.filter((line) => line.startsWith('Cannot ')).length).toBeLessThan(6)
      expect(said.filter((line) => line.startsWith('    at '))).toEqual([])
      expect(await product.visit(siteOf('neighbour'))).toBe(200)
      chmodSync(file, 0o600)
      copyFileSync(`${file}.copy`, file)
      await until('the panel is back by itself', () => product.isConnected(), 60_000)
      await world.oracle([...ends, /^Cannot write to the store: /])
    })(),
)

it(
  'a panel starts after a crash that took its log and left a wrong index of it',
  inWorld(
    'F08',
    'state.db without its WAL, with a stale shm',
    'starts; what the agent knows is told again',
    async (world) => {
      const { product } = world
      await world.createTenant('alpha')
      await world.settled()
      await crash(world)
      const file = storeOf(world)
      rmSync(`${file}-wal`, { force: true })
      const { uid, gid } = statSync(file)
      const index = openSync(`${file}-shm`, 'w', 0o600)
      fchownSync(index, uid, gid)
      writeSync(index, Buffer.alloc(32768, 0xff))
      closeSync(index)

      await product.start()

      expect(await product.visit(siteOf('alpha'))).toBe(200)
      expect(await refusal(product.call('GET', '/tenants'))).toBeUndefined()
    },
  ),
)

const agentDamages: readonly (readonly [string, Damage])[] = [
  ['scribbled over', scribbled],
  ['no database any more', noDatabase],
  ['missing', (file) => rmSync(file)],
]

it.each(isWhole ? agentDamages : agentDamages.slice(1))(
  "an agent's database that is %s makes it inspect only",
  (what, damage) =>
    inWorld(
      'F08',
      `agent.db ${what}`,
      'inspects only; jobs wait; sites served; goes on with the copy',
      async (world) => {
        const { product } = world
        await product.stop()
        const file = product.places.agentDatabase
        copyFileSync(file, `${file}.copy`)
        damage(file)

        await product.start()
        await world.createTenant('alpha')
        await pause(2000)

        expect(
          (await world.jobs()).filter(({ tenantName }) => tenantName === 'alpha').map(({ state }) => state),
        ).toEqual(['queued', 'queued'])
        expect(await product.visit(siteOf('neighbour'))).toBe(200)
        await product.stop()
        for (const end of ['-wal', '-shm']) if (existsSync(file + end)) rmSync(file + end)
        copyFileSync(`${file}.copy`, file)
        await product.start()
        const jobs = await world.settled()
        expect(jobs.filter(({ tenantName }) => tenantName === 'alpha').map(({ state }) => state)).toEqual([
          'succeeded',
          'succeeded',
        ])
        await world.oracle([/^registry cannot be used, nothing will be changed$/])
      },
    )(),
)
