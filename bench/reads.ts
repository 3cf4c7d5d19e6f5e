/** Programs that read by an API key: how many answers the panel gives for a second of its processor. */
import { type Bench, type Figure, progress } from './bench.ts'
import { ofVisitors } from './needs.ts'
import { Server } from './server.ts'
import { processorSeconds } from './usage.ts'
import { rushFor } from './wrk.ts'

const seconds = 10
const connections = 10
const owner = { email: 'bench@example.com', password: 'a bench of quiet rivers' }

export const reads: Bench = {
  name: 'reads',
  needs: ofVisitors,
  summary: 'authenticated reads over TLS by an API key, beside an address that asks for nothing',
  async run() {
    const server = await Server.start()
    try {
      await server.call('POST', '/users', { ...owner, role: 'system_admin' })
      const made = await server.call('POST', `/users/${owner.email}/api-keys`, {
        name: 'bench',
        scopes: ['package.get'],
      })
      const { token } = made as { token: string } // the shape of api-key.create
      const headers = [`Authorization: Bearer ${token}`]
      const read = () => measure(server, '/api/v1/packages/bench', headers)
      await read() // until the code is compiled
      const [byKey, bare] = [await read(), await measure(server, '/healthz', [])]
      return [
        {
          name: 'reads by API key for a second of processor',
          value: byKey.perCpu,
          unit: 'per second',
          target: '>= 1000',
        },
        { name: 'the same of the clock, machine as it is', value: byKey.perClock, unit: 'per second', target: null },
        { name: 'reads by API key, p99', value: byKey.p99, unit: 'ms', target: null },
        {
          name: 'as a part of an answer without key and store',
          value: byKey.perCpu / bare.perCpu,
          unit: 'ratio',
          target: null,
        },
        { name: 'failed', value: byKey.failed + bare.failed, unit: 'count', target: '<= 0' },
      ] satisfies Figure[]
    } finally {
      await server.dispose()
    }
  },
}

async function measure(server: Server, path: string, headers: readonly string[]) {
  const { panel: port } = server.ports
  const pid = server.child('panel')
  const before = processorSeconds(pid)
  const visits = await rushFor(seconds, { port, host: 'localhost', scheme: 'https', path, headers, connections })
  const used = processorSeconds(pid) - before
  progress(`${path}: ${visits.requests} answers in ${used.toFixed(1)} s of processor`)
  return { perCpu: visits.requests / used, perClock: visits.perSecond, p99: visits.p99, failed: visits.failed }
}
