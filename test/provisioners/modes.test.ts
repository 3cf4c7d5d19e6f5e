/** Mode and owner of everything that a tenant with a site has on the machine, one line each: a change of one is seen here. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Bench } from './bench.ts'
import { leadUp, scenarios } from './scenarios.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let bench: Bench
beforeEach(async () => {
  bench = await Bench.make()
})
afterEach(async () => {
  await bench.engine.close()
  bench.remove()
})

it('are those of this list', async () => {
  const before = new Set(placesOf(bench.manifest()))
  await leadUp(bench, 'domain.update')
  await bench.run('domain.update', scenarios['domain.update'].payload)

  const made = placesOf(bench.manifest()).filter((line) => !before.has(line))
  await expect(`${made.join('\n')}\n`).toMatchFileSnapshot('./modes.txt')
})

/** `path uid gid mode`, without what is in it. */
function placesOf(manifest: string): string[] {
  return manifest.split('\n').map((line) => line.split(' ').slice(0, 4).join(' '))
}
