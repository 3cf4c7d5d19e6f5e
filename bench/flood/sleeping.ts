/** A visitor knows many names that sleep and asks for them in turn, as fast as they wake: how much PHP that keeps awake. */
import { totalmem } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { usageOfUids } from '../../src/agent/os/crowd.ts'
import type { Server } from '../server.ts'
import type { Attack } from './attack.ts'

const tenants = 120
const sharePct = 5
const atOnce = 8
const lookEveryMs = 250
const page = '<?php echo str_repeat("x", 1 << 16);'

export const sleepingNames: Attack = {
  name: `${tenants} sleeping names asked for in turn, below a ceiling of ${sharePct} %`,
  mostRatio: null,
  settings: `tenants_share_pct: ${sharePct}\n`,
  async begin(server) {
    const names = Array.from({ length: tenants }, (_, at) => `sleeper${at}`)
    for (const name of names) await server.createTenant(name)
    for (const name of names) {
      await server.untilServed(name)
      server.putPage(name, page)
    }
    const before = usageOfUids().memoryBytes
    let isOver = false
    let answered = 0
    let most = before
    let next = 0
    const asking = Array.from({ length: atOnce }, async () => {
      while (!isOver) if ((await visitNext(server, names[next++ % tenants] ?? '')) === 200) answered++
    })
    const looking = (async () => {
      for (; !isOver; await sleep(lookEveryMs)) most = Math.max(most, usageOfUids().memoryBytes)
    })()
    return {
      async stop() {
        isOver = true
        await Promise.all([...asking, looking])
        const ceilingMb = (totalmem() * sharePct) / 100 / 1e6
        return [
          {
            name: `${tenants} sleeping names: memory of tenants at most`,
            value: most / 1e6,
            unit: 'MB',
            target: `<= ${Math.round(ceilingMb)}`,
          },
          { name: `${tenants} sleeping names: answered`, value: answered, unit: 'count', target: '>= 100' },
        ]
      },
    }
  },
}

async function visitNext(server: Server, name: string): Promise<number> {
  try {
    return await server.visit(name)
  } catch {
    return 0 // refused or ended: that is the defence
  }
}
