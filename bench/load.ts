/** A steady stream of requests for one site, and what became of them. */
import { Agent } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Server } from './server.ts'

export interface Load {
  /** Ends the stream. */
  stop(): Promise<{ readonly requests: number; readonly failed: number; readonly samples: readonly number[] }>
}

/** Between two requests of a visitor. Without it the visitors take both processors, and the bench measures the queue for them. */
const pauseMs = 10

/** @param connections how many visitors ask, each again a moment after it was answered. */
export function startLoad(server: Server, name: string, connections: number): Load {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const samples: number[] = []
  let failed = 0
  let isOver = false
  const visitors = Array.from({ length: connections }, async () => {
    while (!isOver) {
      const started = performance.now()
      if ((await server.visit(name, agent)) !== 200) failed++
      samples.push(performance.now() - started)
      await sleep(pauseMs)
    }
  })
  return {
    async stop() {
      isOver = true
      await Promise.all(visitors)
      agent.destroy()
      return { requests: samples.length, failed, samples }
    },
  }
}
