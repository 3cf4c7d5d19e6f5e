/** F34: a boot without a name server and with a clock that nobody has set. */
import { expect } from 'vitest'
import { eventually, putWhoPage } from '../e2e/server.ts'
import { faultInWholeRun } from './server-fault.ts'
import type { FaultyServer } from './server-under-faults.ts'

export function bootFaults(server: () => FaultyServer): void {
  faultInWholeRun('F34', 'boot without name server, in the year 2001', 'sites serve, panel and jobs work', async () => {
    const { machine } = server()
    const site = await server().customer('boot')
    await putWhoPage(machine, 'boot', site)
    await machine.succeed(
      'rm -f /etc/resolv.conf; echo "nameserver 192.0.2.1" >/etc/resolv.conf; systemctl mask --quiet systemd-timesyncd; sync',
    )
    await machine.powerCut()
    await machine.bootAgain({ clock: '2001-01-01T00:00:00' })

    expect(await machine.settled()).toEqual([])
    const page = `curl -s -m 20 -H 'Host: ${site}' http://127.0.0.1/who.php`
    await eventually(machine, page, /wcp-boot\.slice/)
    await eventually(machine, 'wcp status', /nginx +running/)
    expect(await machine.succeed('journalctl -b -u wcpd -o short-iso --no-pager | head -n 3')).toContain('2001-01-01')
    await server().signIn()
    await server().must({ kind: 'tenant', verb: 'suspend', name: 'boot' })
  })
}
