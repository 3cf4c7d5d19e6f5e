/** How long people wait for `wcp --version`, the least that the executable can do. */
import { spawnSync } from 'node:child_process'
import { executable } from '../test/support/executable.ts'
import { type Bench, percentile, timed } from './bench.ts'

const runs = 30

export const version: Bench = {
  name: 'version',
  summary: 'wcp --version, as a whole process',
  async run() {
    const file = executable()
    const start = () => {
      const { status, stderr } = spawnSync(file, ['--version'], { argv0: 'wcp', encoding: 'utf8' })
      if (status !== 0) throw new Error(`wcp --version failed: ${stderr}`)
    }
    start()
    const samples: number[] = []
    for (let run = 0; run < runs; run++) samples.push(await timed(start))
    return [{ name: 'wcp --version, median', value: percentile(samples, 50), unit: 'ms', target: '<= 60' }]
  },
}
