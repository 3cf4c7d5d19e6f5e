/** F34: a boot without a name server and with a clock that nobody has set. */
import { expect } from 'vitest'
import { eventually } from '../e2e/server.ts'
import { faultInWholeRun } from './server-fault.ts'
import type { FaultyServer } from './server-under-faults.ts'

export function bootFaults(server: () => FaultyServer): void {
  faultInWholeRun(
    'F34',
    'boot without name server, with a clock far behind',
    'sites serve, panel and jobs work',
    async () => {
      const { machine } = server()
      const site = await server().customer('waking')
      await machine.succeed(
        'rm -f /etc/resolv.conf; echo "nameserver 192.0.2.1" >/etc/resolv.conf; systemctl mask --quiet systemd-timesyncd; rm -rf /var/lib/systemd/timesync; sync',
      )
      await machine.powerCut()
      await machine.bootAgain({ clock: '2001-01-01T00:00:00' })

      expect(await machine.settled()).toEqual([])
      const page = `curl -s -m 60 -H 'Host: ${site}' http://127.0.0.1/who.php`
      await eventually(machine, page, /wcp-waking\.slice/, 300)
      await eventually(machine, 'wcp status', /nginx +running/, 300)
      // systemd sets a clock that is before its own build to that day
      expect(Number(await machine.succeed('date +%s'))).toBeLessThan(Date.now() / 1000 - 90 * 86_400)
      await server().signIn()
      await server().must({ kind: 'tenant', verb: 'suspend', name: 'waking' })
      await machine.succeed(`date -s @${Date.now() / 1000}`)
    },
  )
}
