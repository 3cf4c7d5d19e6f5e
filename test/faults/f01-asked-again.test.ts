/** F01 under a person's command: the agent, and the panel with it, dies between its first word and its last. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { executable } from '../support/executable.ts'
import type { Product } from '../support/product.ts'
import { isWhole } from './rows.ts'
import { inWorld, siteOf } from './world.ts'

const moments = isWhole ? 30 : 3

async function create({ root }: Product, name: string): Promise<{ code: number; said: string; jobs: string[] }> {
  const words = ['tenant', 'create', name, '--package', 'basic', '--domain', siteOf(name)]
  const child = spawn(executable(), ['cli', '--root', root, ...words], { stdio: ['ignore', 'pipe', 'pipe'], env: {} })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk))
  const [code] = await once(child, 'close')
  return { code, said, jobs: said.match(/^job [\da-f-]{36}$/gm) ?? [] }
}

it(
  'tells how the command ended, and answers the same words with the same jobs',
  { timeout: isWhole ? 1_800_000 : 180_000 },
  inWorld(
    'F01',
    `agent killed in the middle of ${moments} commands`,
    'each told how its jobs ended; the same command again got the same jobs',
    async (world) => {
      const { product } = world
      const since = performance.now()
      expect(await create(product, 'calm')).toMatchObject({ code: 0 })
      const spanMs = performance.now() - since

      let waited = 0
      for (let moment = 0; moment < moments; moment++) {
        const name = `moment${String.fromCharCode(97 + Math.floor(moment / 26), 97 + (moment % 26))}`
        const asked = create(product, name)
        await pause((spanMs * (moment + 0.5)) / moments)
        await product.restart('SIGKILL')
        const ended = await asked
        const again = await create(product, name)
        if (ended.said.includes('The panel does not answer')) waited++

        expect(ended.code, ended.said).toBe(0)
        expect(ended.jobs).toHaveLength(2)
        expect(again.code, again.said).toBe(0)
        expect(again.said).toContain('This was asked for before')
        expect(again.jobs).toEqual(ended.jobs)
        const made = (await world.settled()).filter(({ resourceName }) => [name, siteOf(name)].includes(resourceName))
        expect(made.map(({ type, state }) => `${type} ${state}`).sort()).toEqual([
          'domain.create succeeded',
          'tenant.create succeeded',
        ])
        expect(await product.visit(siteOf(name))).toBe(200)
      }
      // of three moments a busy host may leave one alone that is in the middle
      expect(waited).toBeGreaterThan(isWhole ? moments / 2 : 0)
      await world.oracle([/^job is resumed$/, /^service ended$/])
    },
  ),
)
