/** Many tenants through the API, several requests at once, as a migration sends them. */
import { readdirSync } from 'node:fs'
import { progress } from './bench.ts'
import { hostOf, type Server } from './server.ts'

const requestsAtOnce = 4
const tellEveryMs = 5000

export function siteName(index: number): string {
  return `site${String(index).padStart(5, '0')}`
}

/** Makes the sites `from` to before `to`. @returns seconds from the first request to the end of the last job */
export async function fill(server: Server, from: number, to: number): Promise<number> {
  const started = performance.now()
  const seconds = () => (performance.now() - started) / 1000
  const timer = setInterval(() => {
    const made = routed(server) - already
    progress(`${made} of ${to - from} sites, ${(made / seconds()).toFixed(1)} per second`)
  }, tellEveryMs)
  const already = routed(server)
  let next = from
  const client = async () => {
    while (next < to) await server.createTenant(siteName(next++))
  }
  try {
    await Promise.all(Array.from({ length: requestsAtOnce }, client))
    await server.untilQuiet()
  } finally {
    clearInterval(timer)
  }
  const took = seconds()
  const made = routed(server) - already
  if (made !== to - from)
    throw new Error(`${to - from} sites were asked for and ${made} made, such as ${hostOf(siteName(from))}`)
  return took
}

/** Names in the routing table. */
function routed(server: Server): number {
  return readdirSync(server.places.web.hosts).length
}
