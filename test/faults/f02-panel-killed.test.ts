/** F02: the panel dies again and again while jobs are under way. */
import { setTimeout as pause } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { isWhole } from './rows.ts'
import { inWorld, refusal, siteOf, until } from './world.ts'

const kills = isWhole ? 60 : 6

it(
  'loses no job that was acknowledged, and tells each end once it is back',
  inWorld(
    'F02',
    `panel killed ${kills} times during jobs`,
    'no acknowledged job lost; each succeeded',
    async (world) => {
      const { product } = world
      const made: string[] = []
      for (let round = 0; round < kills; round++) {
        const name = `round${String.fromCharCode(97 + Math.floor(round / 26), 97 + (round % 26))}`
        if ((await refusal(world.createTenant(name))) === undefined) made.push(name)
        await pause(round * 7)
        const { panel } = product.pids
        if (panel !== undefined) process.kill(panel, 'SIGKILL')
        await until('another panel answers', async () => product.pids.panel !== panel && (await product.isConnected()))
      }

      const jobs = await world.settled()

      expect(made.length).toBeGreaterThan(kills / 2)
      expect(jobs.map(({ state }) => state).filter((state) => state !== 'succeeded')).toEqual([])
      for (const name of made) expect(await product.visit(siteOf(name))).toBe(200)
      await world.oracle([/^service ended$/])
    },
  ),
)
