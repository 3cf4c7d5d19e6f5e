/** How long people wait for `wcp --version`, the least that the executable can do, and what a command spends before it asks. */
import { spawnSync } from 'node:child_process'
import { executable } from '../test/support/executable.ts'
import { bareNode } from './bare-node.ts'
import { type Bench, percentile, timed } from './bench.ts'
import { processorOfChildren } from './usage.ts'

const runs = 30
/** Exit code of a command that no panel answers (src/contract/errors.ts, `unavailable`). */
const unanswered = 11

export const version: Bench = {
  name: 'version',
  summary: 'wcp --version as a whole process, and wcp tenant list where no panel is, against node -e 0 in turns',
  async run() {
    const file = executable()
    const wcp = (words: readonly string[], expected: number) => {
      const { status, stderr } = spawnSync(file, words, { argv0: 'wcp', encoding: 'utf8' })
      if (status !== expected) throw new Error(`wcp ${words.join(' ')} failed: ${stderr}`)
    }
    const rivals = {
      bare: rival(bareNode),
      version: rival(() => wcp(['--version'], 0)),
      list: rival(() => wcp(['--root', '/var/empty/no-panel', 'tenant', 'list'], unanswered)),
    }
    for (let run = 0; run < runs; run++) for (const one of Object.values(rivals)) await one.start()
    const { bare, version: shown, list } = rivals
    return [
      { name: 'wcp --version, median', value: shown.median(), unit: 'ms', target: null },
      { name: 'node -e 0, median', value: bare.median(), unit: 'ms', target: null },
      {
        name: 'wcp --version against node -e 0',
        value: shown.median() / bare.median(),
        unit: 'ratio',
        target: '<= 1.5',
      },
      { name: 'wcp tenant list, processor time', value: list.processorMs(), unit: 'ms', target: null },
      { name: 'node -e 0, processor time', value: bare.processorMs(), unit: 'ms', target: null },
      {
        name: 'wcp tenant list against node -e 0, processor time',
        value: list.processorMs() / bare.processorMs(),
        unit: 'ratio',
        target: '<= 2',
      },
    ]
  },
}

function rival(run: () => void) {
  const samples: number[] = []
  let seconds = 0
  return {
    async start() {
      const before = processorOfChildren()
      samples.push(await timed(run))
      seconds += processorOfChildren() - before
    },
    median: () => percentile(samples, 50),
    processorMs: () => (seconds * 1000) / samples.length,
  }
}
