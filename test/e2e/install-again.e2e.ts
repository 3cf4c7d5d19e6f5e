/** The installer refuses what cannot work, may be killed anywhere and run again, and changes nothing that is right. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Machine } from './harness/machine.ts'
import { start } from './harness/start.ts'
import { copyPrebuilt } from './installed.ts'

const minutes = 60_000
const install = './install.sh --prebuilt /root/wcp360/dist/wcpd'

/** Every file of ours with mode, owner and content; and which processes run since when. */
const manifest = `
  { find /etc/wcp360 /opt/wcp360 /etc/systemd/system /etc/nginx /usr/local/bin /etc/nsswitch.conf /etc/pam.d /etc/logrotate.d \
      /etc/passwd /etc/group /var/lib/wcp360-web -printf '%p %y %m %u:%g %l %T@\\n'
    find /etc/wcp360 /opt/wcp360 /etc/systemd/system -type f -exec sha256sum {} +
  } | sort
  systemctl show -p Id,MainPID,ActiveEnterTimestamp wcpd wcpd-panel wcpd-waker nginx`

describe('the installer on a server with the packages', () => {
  let machine: Machine

  beforeAll(async () => {
    machine = await start('trixie-ready')
    await copyPrebuilt(machine)
  })

  afterAll(() => machine?.stop())

  describe('tells in a line what must be different, and changes nothing', () => {
    const before =
      'find /etc /opt /usr/local /var/lib -xdev -newermt @0 -printf "%p %m %T@\\n" | grep -v /var/lib/systemd | sort'

    /** In a mount namespace of its own, where `prepare` may hide or replace parts of the system. */
    const inDisguise = (prepare: string) =>
      machine.run(['unshare', '--mount', 'bash', '-c', `set -e; ${prepare}; cd /root/wcp360; exec ${install}`])

    let untouched: string
    beforeAll(async () => {
      untouched = await machine.succeed(before)
    })

    it('to who is not root', async () => {
      await machine.succeed('install -m 755 /root/wcp360/install.sh /tmp/install.sh')
      const { code, stderr } = await machine.run(
        'setpriv --reuid=nobody --regid=nogroup --clear-groups /tmp/install.sh',
      )
      await machine.succeed('rm /tmp/install.sh')

      expect([code, stderr]).toEqual([1, 'error: this must run as root -> sudo ./install.sh\n'])
    })

    it('on another system', async () => {
      const { code, stderr } = await inDisguise(
        `printf 'ID=fedora\\nVERSION_ID=44\\nPRETTY_NAME="Fedora Linux 44"\\n' >/run/other-system
         mount --bind /run/other-system "$(readlink -f /etc/os-release)"`,
      )

      expect(code).toBe(1)
      expect(stderr).toContain('  - Fedora Linux 44 is not supported -> use Debian 12 or 13, Ubuntu 22.04 or 24.04\n')
    })

    it('without cgroup v2 and pressure figures, both at once', async () => {
      const { code, stderr } = await inDisguise(
        'mount -t tmpfs none /sys/fs/cgroup; mount -t tmpfs none /proc/pressure',
      )

      expect(code).toBe(1)
      expect(stderr).toMatch(
        /^ {2}- cgroup v2 is not mounted at .* -> boot with "systemd\.unified_cgroup_hierarchy=1"$/m,
      )
      expect(stderr).toMatch(/^ {2}- the kernel does not measure pressure .* -> boot with "psi=1"$/m)
    })

    it('where another program has the port of the panel', async () => {
      await machine.succeed('systemd-run --quiet --unit=squatter php -S 0.0.0.0:8360')
      await machine.succeed('until (exec 3<>/dev/tcp/127.0.0.1/8360) 2>/dev/null; do sleep 0.2; done')
      const { code, stderr } = await machine.run(`cd /root/wcp360 && ${install}`)
      await machine.succeed('systemctl stop squatter')

      expect(code).toBe(1)
      expect(stderr).toMatch(
        /^ {2}- port 8360 is taken by php[0-9.]* -> stop that program, or set listen in .*config\.yaml$/m,
      )
    })

    it('and left the machine as it was', async () => {
      expect(await machine.succeed(before)).toBe(untouched)
    })
  })

  // Each step is killed soon after it began, when all before it are done.
  it.each([3, 4, 6, 8, 9])('may be killed in step %i', { timeout: 10 * minutes }, async (step) => {
    const script = `cd /root/wcp360
      setsid ${install} </dev/null >/root/killed.log 2>&1 & installer=$!
      until grep -q '^\\[${step}/9\\]' /root/killed.log; do kill -0 $installer || exit 1; sleep 0.02; done
      sleep 0.3
      pkill -KILL -s $installer
      cat /root/killed.log`

    expect(await machine.succeed(script, { timeout: 5 * minutes })).not.toContain('runs.')
  })

  it('then ends with a running panel', async () => {
    expect(await machine.succeed(`cd /root/wcp360 && ${install}`, { timeout: 10 * minutes })).toMatch(
      /WCP360 .* runs\./,
    )
    expect(await machine.succeed(['wcp', 'doctor'])).not.toMatch(/FAIL/)
  })

  it('changes nothing when it is run once more', async () => {
    const first = await machine.succeed(manifest)
    await machine.succeed(`cd /root/wcp360 && ${install}`, { timeout: 10 * minutes })

    expect(await machine.succeed(manifest)).toBe(first)
  })

  it('restarts the daemon when a unit has changed, even if the run that changed it was killed', async () => {
    const pid = 'systemctl show -p MainPID --value wcpd'
    const first = await machine.succeed(pid)
    await machine.succeed(`sed -i '$a # a newer unit' /root/wcp360/systemd/wcpd.service`)
    await machine.succeed(
      `cd /root/wcp360
      setsid ${install} </dev/null >/root/killed.log 2>&1 & installer=$!
      until grep -q '^\\[5/9\\]' /root/killed.log; do kill -0 $installer || exit 1; sleep 0.02; done
      pkill -KILL -s $installer`,
      { timeout: 5 * minutes },
    )
    expect(await machine.succeed(pid)).toBe(first)

    await machine.succeed(`cd /root/wcp360 && ${install}`, { timeout: 10 * minutes })

    expect(await machine.succeed(pid)).not.toBe(first)
    expect(await machine.succeed(['systemctl', 'show', '-p', 'NeedDaemonReload', '--value', 'wcpd'])).toBe('no\n')
  })
})
