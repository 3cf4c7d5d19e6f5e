/** F29: systemd does not answer. */
import { expect } from 'vitest'
import { eventually, visit } from '../e2e/server.ts'
import { fault, faultInWholeRun } from './server-fault.ts'
import type { FaultyServer } from './server-under-faults.ts'

export function busFaults(server: () => FaultyServer): void {
  fault('F29', 'D-Bus stopped', 'jobs go on by the private socket of systemd', async () => {
    const { machine } = server()
    const site = await server().customer('bus')
    await visit(machine, site, '/who.php')
    await machine.succeed('systemctl stop dbus.socket dbus.service')

    await server().must({ kind: 'tenant', verb: 'suspend', name: 'bus' })
    await server().must({ kind: 'tenant', verb: 'unsuspend', name: 'bus' })
    await machine.succeed('systemctl start dbus.socket dbus.service')
    expect((await visit(machine, site)).status).toBe(200)
  })

  fault('F29', 'systemd out of reach', 'typed error in bounded time, undone, works when sent again', async () => {
    const { machine } = server()
    const site = 'bus.example.com'
    await visit(machine, site, '/who.php')
    const hide = 'mv /run/systemd/private /run/systemd/private.hidden; mv /run/dbus/system_bus_socket /run/dbus/hidden'
    const show = 'mv /run/systemd/private.hidden /run/systemd/private; mv /run/dbus/hidden /run/dbus/system_bus_socket'
    await machine.succeed(hide)
    const began = Date.now()
    const [{ state, failure }, panelAnswers] = await (async () => {
      try {
        const job = await server().submit({ kind: 'tenant', verb: 'suspend', name: 'bus' })
        return [await server().end(job), (await server().panel.api('GET', '/tenants')).status]
      } finally {
        await machine.succeed(show)
      }
    })()
    const took = Date.now() - began

    expect([state, failure?.code, panelAnswers]).toEqual(['failed', 'machine_failed', 200])
    expect(took).toBeLessThan(300_000)
    expect((await visit(machine, site)).status).toBe(200)
    await server().must({ kind: 'tenant', verb: 'suspend', name: 'bus' })
    expect((await visit(machine, site)).status).toBe(503)
    expect((await machine.run(['systemctl', 'is-active', 'wcp-fpm-bus.service'])).stdout).toBe('inactive\n')
  })

  faultInWholeRun('F29', 'systemd reloads all the time', 'job ended, PHP was woken', async () => {
    const { machine } = server()
    await machine.succeed('systemd-run --quiet --unit=reloads bash -c "while :; do systemctl daemon-reload; done"')
    try {
      await server().must({ kind: 'tenant', verb: 'unsuspend', name: 'bus' })
      // systemd may take longer for the start than a visitor waits, who is told to come again
      const page = `curl -s -m 60 -H 'Host: bus.example.com' http://127.0.0.1/who.php`
      await eventually(machine, page, /wcp-bus\.slice/, 300)
    } finally {
      await machine.succeed('systemctl stop reloads')
    }
  })
}
