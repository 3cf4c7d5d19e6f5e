/** Debian 12: installed, a site served, the program taken away and brought back, and at last everything gone. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Machine } from './harness/machine.ts'
import { start } from './harness/start.ts'
import { copyPrebuilt } from './installed.ts'
import { browserOf, putWhoPage, setUp, visit } from './server.ts'
import { commandsOfTenants } from './tenant-commands.ts'

const minutes = 60_000
const site = 'shop.example.com'

/** What lies on the machine, leaving out what the system itself writes all the time. */
const machineManifest = `find /etc /opt /usr /srv /var /home -xdev \\( -path /var/log -o -path /var/cache -o -path /var/tmp -o \
    -path /var/lib/systemd/random-seed -o -path /var/lib/systemd/timers -o -path /var/lib/systemd/timesync -o \
    -name '*.dpkg-*' -o -name 'passwd-' -o -name 'group-' -o -name 'shadow-' -o -name 'gshadow-' \\) -prune \
    -o -printf '%p %y %m %u:%g %l\\n' | sort
  cat /etc/passwd /etc/group /etc/nsswitch.conf`

const data = `cd / && find etc/wcp360 etc/userdb srv/www var/lib/wcp360-web var/lib/wcp360 -printf '%p %y %m %u:%g %l\\n' | \
    grep -vE 'state.db|wcp360-web/.(default|php-master)' | sort
  find etc/wcp360 etc/userdb srv/www -type f -exec sha256sum {} + | sort`

describe('Debian 12', () => {
  let machine: Machine
  let bare: string

  const installer = (words: string) =>
    machine.succeed(`cd /root/wcp360 && ./install.sh ${words}`, { timeout: 10 * minutes })

  beforeAll(async () => {
    machine = await start('bookworm-ready')
    await copyPrebuilt(machine)
    bare = await machine.succeed(machineManifest)
  })

  afterAll(() => machine?.stop())

  it('becomes a hosting server by one command', async () => {
    expect(await installer('--prebuilt dist/wcpd')).toMatch(/WCP360 .* runs\./)
    await setUp(machine, await browserOf(machine))

    expect(await machine.succeed(['wcp', 'doctor'])).not.toMatch(/FAIL/)
  })

  it('serves a site whose PHP runs as its tenant, in its slice', async () => {
    await machine.succeed(['wcp', 'tenant', 'create', 'shop', '--domain', site])
    await putWhoPage(machine, 'shop', site)
    const uid = (await machine.succeed(['id', '-u', 'shop'])).trim()

    expect((await visit(machine, site)).status).toBe(200)
    const { status, text } = await visit(machine, site, '/who.php')

    expect([status, text.split('\n')[0]]).toEqual([200, uid])
    const groups = await machine.succeed(`for pid in $(pgrep -u ${uid}); do cat /proc/$pid/cgroup; done`)
    for (const line of groups.trim().split('\n')) expect(line).toContain('/wcp.slice/wcp-shop.slice/')
  })

  commandsOfTenants(() => machine, { tenant: 'shop', site })

  it('keeps all data and gives the web server back when the program is removed', async () => {
    const before = await machine.succeed(data)

    expect(await installer('--uninstall')).toContain('Data stays')

    expect(await machine.succeed(data)).toBe(before)
    expect(
      (await machine.run('ls -d /opt/wcp360 /usr/local/bin/wcp /run/wcp360 /etc/systemd/system/wcp*')).stdout,
    ).toBe('')
    expect(
      (await machine.run('pgrep wcpd; pgrep -u shop; systemctl list-units --plain --no-legend "wcp*"')).stdout,
    ).toBe('')
    expect((await visit(machine, site)).text).toContain('Welcome to nginx')
  })

  it('serves the same site, and knows its administrator, when it is installed again', async () => {
    await installer('--prebuilt dist/wcpd')

    expect((await visit(machine, site, '/who.php')).status).toBe(200)
    expect(await machine.succeed(['wcp', 'tenant', 'list'])).toContain('shop')
    expect((await (await browserOf(machine)).send('GET', '/bootstrap')).status).toBe(404)
  })

  it('asks before it deletes, and deletes nothing without the words', async () => {
    const { code, stderr } = await machine.run('cd /root/wcp360 && echo yes | ./install.sh --purge')

    expect([code, stderr]).toEqual([1, 'error: nothing was deleted\n'])
    expect((await visit(machine, site, '/who.php')).status).toBe(200)
  })

  it('is as bare as before after --purge', async () => {
    await installer('--purge --yes')

    const [left, were] = [(await machine.succeed(machineManifest)).split('\n'), bare.split('\n')]
    expect(left.filter((line) => !were.includes(line))).toEqual([])
    expect(were.filter((line) => !left.includes(line))).toEqual([])
    expect((await machine.run('getent passwd shop wcp360 wcp360-waker wcp360-log wcp360-web')).stdout).toBe('')
    expect((await machine.run('ls -d /run/wcp360* /run/systemd/*/wcp* /var/log/wcp360*')).stdout).toBe(
      '/run/wcp360-install.lock\n',
    )
    expect(await machine.succeed('systemctl --failed --plain --no-legend')).toBe('')
  })
})
