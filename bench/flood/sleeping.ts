/** A visitor knows many names that sleep and asks for them in turn, as fast as they wake: how much PHP that keeps awake. */
import { totalmem } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { usageOfUids } from '../../src/agent/os/crowd.ts'
import { bareStarts } from '../bare-fpm.ts'
import { hostOf, type Server } from '../server.ts'
import { startRush } from '../wrk.ts'
import { type Attack, victim, visitors } from './attack.ts'

const tenants = 120
const sharePct = 5
const atOnce = 8
const lookEveryMs = 250
const referenceMs = 5000
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
    const began = performance.now()
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
        const perSecond = answered / ((performance.now() - began) / 1000)
        const bare = await bareBesideVisitors(server)
        const ceilingMb = (totalmem() * sharePct) / 100 / 1e6
        return [
          {
            name: `${tenants} sleeping names: memory of tenants at most`,
            value: most / 1e6,
            unit: 'MB',
            target: `<= ${Math.round(ceilingMb)}`,
          },
          { name: `${tenants} sleeping names: answered`, value: perSecond, unit: 'per second', target: null },
          { name: 'starts of PHP-FPM alone beside the same visitors', value: bare, unit: 'per second', target: null },
          {
            name: `${tenants} sleeping names: answered, against starts of PHP-FPM alone`,
            value: perSecond / bare,
            unit: 'ratio',
            target: '>= 0.5',
          },
        ]
      },
    }
  },
}

async function bareBesideVisitors(server: Server): Promise<number> {
  const rush = startRush({ port: server.ports.http, host: hostOf(victim), ...visitors })
  try {
    return await bareStarts(referenceMs, atOnce)
  } finally {
    await rush.stop()
  }
}

async function visitNext(server: Server, name: string): Promise<number> {
  try {
    return await server.visit(name)
  } catch {
    return 0 // refused or ended: that is the defence
  }
}
