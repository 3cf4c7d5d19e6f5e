/** Real processes, really killed: whatever moment it was, the next start leaves the machine exactly as the registry says. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { DriftReport } from '../../src/contract/wire.ts'
import { Bench } from './bench.ts'
import { leadUp } from './scenarios.ts'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 60_000 })

let bench: Bench
beforeEach(async () => {
  bench = await Bench.make()
})
afterEach(async () => {
  await bench.engine.close()
  bench.remove()
})

const victim = fileURLToPath(new URL('victim.ts', import.meta.url))
const rounds = 12

it(`is whole after each of ${rounds} kills at moments nobody chose`, async () => {
  await leadUp(bench, 'domain.create')
  await bench.engine.close()
  let interrupted = 0

  for (let round = 0; round < rounds; round++) {
    const child = spawn(process.execPath, [victim, bench.root, String(1000 * (round + 1))], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(child.stdout, 'data')
    await new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 300))
    child.kill('SIGKILL')
    await once(child, 'exit')

    bench.messages.length = 0
    bench.log.length = 0
    await bench.start()
    interrupted += bench.log.filter(({ message }) => message === 'job is resumed').length
    const report = (await bench.ask({ t: 'inspect', what: 'drift' })).value as DriftReport
    expect(report).toEqual([])
    expect(bench.engine.stuck()).toEqual([])
    expect(bench.manifest()).not.toMatch(/\.new-|\.trash\/new-/)
    await bench.engine.close()
  }

  await bench.start()
  expect(interrupted).toBeGreaterThan(0) // otherwise nothing was tried
})
