/** F15 to F17: no memory or no processes for one part of the server; the others go on. */
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

    await eventually(machine, killed('wcpd-panel.service'), /^[1-9]/, 300)
    await machine.succeed(limit('wcpd-panel', 'MemoryMax=768M'))
    expect((await server().end(job)).state).toBe('succeeded')
    expect(await server().pidOf('wcpd')).toBe(agent)
    expect((await visit(machine, 'fifteen.example.com')).status).toBe(503)
  })

  fault('F16', 'agent out of memory', 'started again; the job ended; sites were served', async () => {
    const { machine } = server()
    const site = await server().customer('sixteen')
    const other = await server().customer('spared')
    await server().putSlowPage('sixteen', 10)
    const agent = await server().pidOf('wcpd')
    await server().askSlowly('sixteen')
    const job = await server().submit({ kind: 'tenant', verb: 'suspend', name: 'sixteen' })
    await machine.succeed(limit('wcpd', 'MemoryMax=16M'))

    await eventually(machine, killed('wcpd.service'), /^[1-9]/, 300)
    expect((await visit(machine, other)).status).toBe(200)
    await machine.succeed(limit('wcpd', 'MemoryMax=infinity'))
    expect((await server().end(job)).state).toBe('succeeded')
    expect(await server().pidOf('wcpd')).not.toBe(agent)
    expect((await visit(machine, site)).status).toBe(503)
  })

  fault('F16', 'PHP of a customer out of memory', '502 for that request alone', async () => {
    const { machine } = server()
    const [agent, panel] = [await server().pidOf('wcpd'), await server().pidOf('wcpd-panel')]
    const file = '/srv/www/spared/sites/spared.example.com/public/greedy.php'
    const input = '<?php ini_set("memory_limit", "-1"); $all = []; while (true) $all[] = random_bytes(1 << 20);'
    await machine.succeed(`cat > '${file}' && chown spared:spared '${file}'`, { input })
    await visit(machine, 'spared.example.com', '/who.php')
    await machine.succeed(limit('wcp-spared.slice', 'MemoryMax=96M MemorySwapMax=0'))

    expect((await visit(machine, 'spared.example.com', '/greedy.php')).status).toBe(502)
    expect((await visit(machine, 'spared.example.com', '/who.php')).status).toBe(200)
    expect([await server().pidOf('wcpd'), await server().pidOf('wcpd-panel')]).toEqual([agent, panel])
  })

  fault('F17', 'no process for the agent', 'typed error, undone, works when sent again', async () => {
    const { machine } = server()
    const site = await server().customer('seventeen')
    await visit(machine, site, '/who.php') // so that there is something to stop
    const agent = await server().pidOf('wcpd')
    await machine.succeed(limit('wcpd', 'TasksMax=1')) // below what it has: those stay, and no other is made

    const { state, failure } = await server().end(
      await server().submit({ kind: 'tenant', verb: 'suspend', name: 'seventeen' }),
    )
    expect([state, failure?.code]).toEqual(['failed', 'machine_failed'])
    await machine.succeed(limit('wcpd', 'TasksMax=512'))
    expect((await visit(machine, site)).status).toBe(200)
    await server().must({ kind: 'tenant', verb: 'suspend', name: 'seventeen' })
    expect((await visit(machine, site)).status).toBe(503)
    expect(await server().pidOf('wcpd')).toBe(agent)
  })
}
