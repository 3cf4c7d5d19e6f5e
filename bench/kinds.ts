/** What thirty more kinds of eight operations each cost: the start and memory of panel and agent, and a command of another kind. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Product } from '../test/support/product.ts'
import { type Bench, type Figure, percentile, progress } from './bench.ts'
import { buildWithKinds } from './more-kinds.ts'
import { ofServer } from './needs.ts'
import { processorTime } from './panel.ts'
import { memoryOf, processorOfChildren } from './usage.ts'

const more = 30
const starts = 7
const commands = 20
const settleMs = 20_000

export const kinds: Bench = {
  name: 'kinds',
  needs: ofServer,
  isOnlyByName: true,
  summary: `start, memory and a command with ${more} more kinds against without; a command against "node -e 0"`,
  async run() {
    const folder = mkdtempSync(join(tmpdir(), 'wcp-bench-kinds-'))
    const made: Made[] = []
    try {
      for (const count of [0, more]) made.push(await Made.build(mkdtempSync(join(folder, 'tree-')), count))
      const [few, many] = made
      if (few === undefined || many === undefined) throw new Error('two executables are compared')
      for (let round = 0; round < starts; round++) for (const one of made) await one.start()
      await sleep(settleMs)
      for (const one of made) one.measureMemory()
      const bare = inTurns(made)
      return figures(few, many, bare)
    } finally {
      for (const one of made) await one.product.dispose()
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

const roles = ['panel', 'agent'] as const

class Made {
  readonly product: Product
  readonly file: string
  /** Processor milliseconds until panel and agent are connected. */
  readonly starts: Record<(typeof roles)[number], number[]> = { panel: [], agent: [] }
  readonly memory = { pss: 0, anonymous: 0 }
  /** Processor seconds of all commands. */
  command = 0

  private constructor(product: Product, file: string) {
    this.product = product
    this.file = file
  }

  static async build(folder: string, count: number): Promise<Made> {
    progress(`building the product with ${count} more kinds`)
    const file = buildWithKinds(folder, count)
    return new Made(await Product.serving({ command: [file] }), file)
  }

  async start(): Promise<void> {
    await this.product.restart()
    const { agent, panel = -1 } = this.product.pids
    this.starts.agent.push(processorTime(agent))
    this.starts.panel.push(processorTime(panel))
  }

  measureMemory(): void {
    const { agent, panel = -1 } = this.product.pids
    for (const pid of [agent, panel]) {
      const { pss, anonymous } = memoryOf(pid)
      this.memory.pss += pss
      this.memory.anonymous += anonymous
    }
  }

  list(): void {
    this.command += processorOf(this.file, 'wcp', ['--root', this.product.root, 'tenant', 'list'])
  }
}

/** @returns processor seconds of all bare starts of Node */
function inTurns(made: readonly Made[]): number {
  let bare = 0
  for (let run = 0; run < commands; run++) {
    bare += processorOf(process.execPath, 'node', ['-e', '0'])
    for (const one of made) one.list()
  }
  return bare
}

function processorOf(file: string, argv0: string, args: readonly string[]): number {
  const before = processorOfChildren()
  const { status, stderr } = spawnSync(file, args, { argv0, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${argv0} ${args.join(' ')} failed: ${stderr}`)
  return processorOfChildren() - before
}

function figures(few: Made, many: Made, bare: number): readonly Figure[] {
  const ms = (name: string, seconds: number): Figure => ({
    name,
    value: (seconds * 1000) / commands,
    unit: 'ms',
    target: null,
  })
  const against = (name: string, a: number, b: number, most: number): Figure => ({
    name,
    value: a / b,
    unit: 'ratio',
    target: `<= ${most}`,
  })
  const median = (one: Made, role: (typeof roles)[number]) => percentile(one.starts[role], 50)
  return [
    ms('node -e 0: processor time', bare),
    ms('wcp tenant list: processor time', few.command),
    against('wcp tenant list against node -e 0', few.command, bare, 2),
    against(`wcp tenant list with ${more} more kinds against without`, many.command, few.command, 1.15),
    ...roles.flatMap((role): readonly Figure[] => [
      { name: `${role}: processor time of a start`, value: median(few, role), unit: 'ms', target: null },
      against(`${role}: the same with ${more} more kinds against without`, median(many, role), median(few, role), 1.15),
    ]),
    { name: 'panel and agent: proportional memory (PSS)', value: few.memory.pss, unit: 'MB', target: null },
    against(`the same with ${more} more kinds against without`, many.memory.pss, few.memory.pss, 1.15),
    against('anonymous memory with them against without', many.memory.anonymous, few.memory.anonymous, 1.15),
  ]
}
