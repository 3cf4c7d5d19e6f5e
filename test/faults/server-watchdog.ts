/** F32: a process that is there and does nothing more; systemd's watchdog ends it. */
import { expect } from 'vitest'
import { eventually, visit } from '../e2e/server.ts'
import { faultInWholeRun } from './server-fault.ts'
import type { FaultyServer } from './server-under-faults.ts'

export function watchdogFaults(server: () => FaultyServer): void {
  for (const [unit, tenant] of [
    ['wcpd', 'agentless'],
    ['wcpd-panel', 'panelless'],
  ] as const)
    faultInWholeRun('F32', `${unit} stands still`, 'sites are served; started again by the watchdog', async () => {
      const { machine } = server()
      const site = await server().customer(tenant)
      await visit(machine, site, '/who.php') // awake: nobody is there to wake it
      const before = await server().pidOf(unit)
      await machine.succeed(`systemctl kill --kill-whom=main -s STOP ${unit}`)

      expect((await visit(machine, site, '/who.php')).status).toBe(200)
      const told = `journalctl -b --no-pager -o cat UNIT=${unit}.service | grep -c 'Watchdog timeout' || true`
      await eventually(machine, told, /^[1-9]/, 300)
      await eventually(machine, 'wcp status', /nginx +running/, 300)
      expect(await server().pidOf(unit)).not.toBe(before)
      await server().must({ kind: 'tenant', verb: 'suspend', name: tenant })
    })
}
