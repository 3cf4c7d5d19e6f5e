/** F15: no memory for one part of the server; the others go on. */
import { expect } from 'vitest'
import { eventually, visit } from '../e2e/server.ts'
import { fault } from './server-fault.ts'
import type { FaultyServer } from './server-under-faults.ts'

const limit = (unit: string, property: string) => `systemctl set-property --runtime ${unit} ${property}`
const killed = (unit: string) =>
  `journalctl -b --no-pager -o cat _SYSTEMD_UNIT=init.scope + UNIT=${unit} | grep -c 'killed by the OOM killer' || true`

export function memoryFaults(server: () => FaultyServer): void {
  fault('F15', 'panel out of memory', 'started again alone; the job of the agent went on', async () => {
    const { machine } = server()
    await server().customer('fifteen')
    await server().putSlowPage('fifteen', 15)
    const agent = await server().pidOf('wcpd')
    await server().askSlowly('fifteen')
    const job = await server().submit({ kind: 'tenant', verb: 'suspend', name: 'fifteen' })
    await machine.succeed(limit('wcpd-panel', 'MemoryMax=24M'))

    await eventually(machine, killed('wcpd-panel.service'), /^[1-9]/, 60)
    await machine.succeed(limit('wcpd-panel', 'MemoryMax=768M'))
    expect((await server().end(job)).state).toBe('succeeded')
    expect(await server().pidOf('wcpd')).toBe(agent)
    expect((await visit(machine, 'fifteen.example.com')).status).toBe(503)
  })
}
