/** SSH and SFTP of tenants by OpenSSH's own clients: who is let in, into which walls, and how it ends. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { Machine } from './harness/machine.ts'
import { installed } from './installed.ts'
import { namesSeen } from './names-seen.ts'
import { browserOf, eventually, putWhoPage, setUp, visit } from './server.ts'

const Paths = z.array(z.string())
const Listed = z.object({ items: z.array(z.object({ id: z.string(), name: z.string() })) })
const Open = z.object({
  items: z.array(z.looseObject({ id: z.string(), tenantName: z.string(), key: z.string(), from: z.string() })),
})
const door = '/etc/ssh/sshd_config.d/00-wcp360.conf'
const site = 'coder.example.com'
/** Exit code of a client that was not let in. */
const refused = 100
const docroot = `/srv/www/coder/sites/${site}/public`

/** coder has a shell, painter files alone, stranger nothing; each with a key of its own in /root/keys. */
const tenants = { coder: 'shell', painter: 'sftp', stranger: 'none' } as const
type Tenant = keyof typeof tenants

describe('SSH for tenants', { timeout: 300_000 }, () => {
  let machine: Machine
  let mounts: string

  const options = (key: string) => [
    ...['-i', `/root/keys/${key}`, '-o', 'IdentitiesOnly=yes', '-o', 'BatchMode=yes', '-o', 'LogLevel=ERROR'],
    ...['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null'],
  ]
  /** 255 is how the machine's own ssh says that it has failed. */
  const client = (words: readonly string[], input = '') =>
    machine.run(['bash', '-c', `"$@"; code=$?; exit $((code == 255 ? ${refused} : code))`, 'client', ...words], {
      input,
    })
  const ssh = (tenant: Tenant, command: string, more: readonly string[] = []) =>
    client(['ssh', '-n', ...options(tenant), ...more, `${tenant}@127.0.0.1`, command])
  const sftp = (tenant: Tenant, batch: string) =>
    client(['sftp', '-q', '-b', '-', ...options(tenant), `${tenant}@127.0.0.1`], batch)
  const uidOf = async (tenant: Tenant) => (await machine.succeed(['id', '-u', tenant])).trim()
  const addKey = async (tenant: Tenant, file: string, more: readonly string[] = []) => {
    const [type, body] = (await machine.succeed(['cat', `/root/keys/${file}.pub`])).split(' ')
    return machine.run(['wcp', 'ssh-key', 'create', ...more, tenant, file, `${type} ${body}`])
  }
  const keysOf = async (tenant: Tenant) =>
    Listed.parse(JSON.parse(await machine.succeed(['wcp', 'ssh-key', 'list', '--tenant', tenant, '--json']))).items
  /** Ends with the connection that it holds. */
  const hold = (tenant: Tenant, name: string) =>
    machine.succeed(
      ['systemd-run', '--quiet', '--collect', `--unit=${name}`, 'ssh', '-n', ...options(tenant)].concat(
        `${tenant}@127.0.0.1`,
        'exec sleep 600',
      ),
    )
  const daemons = () => machine.succeed('systemctl show -p MainPID,NRestarts ssh; systemctl show -p MainPID wcpd')

  beforeAll(async () => {
    machine = await installed('trixie-ready')
    await setUp(machine, await browserOf(machine))
    // one address makes all connections here, and some of them are refused
    await machine.succeed('echo "PerSourcePenalties no" >/etc/ssh/sshd_config.d/01-tests.conf && systemctl reload ssh')
    await machine.succeed('mkdir -m 700 /root/keys')
    for (const [tenant, access] of Object.entries(tenants)) {
      const limits = ['--ssh-access', access, '--pids', '64', '--mem-mb', '256']
      await machine.succeed(['wcp', 'package', 'create', tenant, ...limits])
      await machine.succeed(['wcp', 'tenant', 'create', tenant, '--package', tenant])
      await machine.succeed(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', `/root/keys/${tenant}`])
    }
    await machine.succeed(['wcp', 'domain', 'create', 'coder', site])
    await machine.succeed(`cat >${docroot}/seen.php && chown coder: ${docroot}/seen.php`, { input: namesSeen })
    mounts = await machine.succeed('wc -l </proc/mounts')
  })

  afterAll(() => machine?.stop())

  it('is one file of the configuration, which changes nothing for others', async () => {
    const of = async (user: string) =>
      (await machine.succeed(['sshd', '-T', '-C', `user=${user},host=localhost,addr=127.0.0.1`])).split('\n')
    const [ours, roots] = [await of('coder'), await of('root')]

    expect(ours).toEqual(expect.arrayContaining(['pamservicename wcp360-ssh', 'disableforwarding yes']))
    await machine.succeed(`mv ${door} /root/door`)
    expect(await of('root')).toEqual(roots)
    await machine.succeed(`mv /root/door ${door}`)
    expect(JSON.parse((await machine.run(['wcp', 'doctor', '--json'])).stdout)).toContainEqual(
      expect.objectContaining({ name: 'ssh', state: 'ok' }),
    )
  })

  it('refuses a key where the package gives nothing', async () => {
    const { code, stderr } = await addKey('stranger', 'stranger')

    expect(code).not.toBe(0)
    expect(stderr).toContain('gives no access by SSH')
  })

  it('lets a key in at once, and no daemon is told of it', async () => {
    const before = await daemons()
    expect((await ssh('coder', 'true')).code).toBe(refused)

    for (const tenant of ['coder', 'painter'] as const) expect(await addKey(tenant, tenant)).toMatchObject({ code: 0 })

    expect(await ssh('coder', 'id -un')).toMatchObject({ code: 0, stdout: 'coder\n' })
    expect(await daemons()).toBe(before)
  })

  it("takes little longer than root's own login", async () => {
    await machine.succeed(
      'cp /root/.ssh/authorized_keys /root/mine && cat /root/keys/coder.pub >>/root/.ssh/authorized_keys',
    )
    expect((await ssh('coder', 'true')).code).toBe(0)
    const login = `ssh -n ${options('coder').join(' ')}`
    const took = `t() { s=$(date +%s%N); "$@" >/dev/null; echo $((($(date +%s%N) - s) / 1000000)); }
      for i in 1 2 3 4 5 6 7; do echo "$(t ${login} root@127.0.0.1 true) $(t ${login} coder@127.0.0.1 true)"; done`
    const pairs = (await machine.succeed(took))
      .trim()
      .split('\n')
      .map((line) => line.split(' ').map(Number))
    const fastest = (nth: 0 | 1) => Math.min(...pairs.map((pair) => pair[nth] ?? Number.NaN))
    console.log(`login of root ${fastest(0)} ms, of a tenant ${fastest(1)} ms; all: ${JSON.stringify(pairs)}`)

    expect(fastest(1)).toBeLessThan(2 * fastest(0))
    await machine.succeed('mv /root/mine /root/.ssh/authorized_keys')
  })

  it('runs as the tenant in its slice with its limits, and in the view of its PHP', async () => {
    await putWhoPage(machine, 'coder', site)
    const uid = await uidOf('coder')
    const facts = 'id -u; id -g; pwd; cat /proc/self/cgroup; ls -A /srv/www; ls -A / | tr "\\n" " "'
    const [ownUid, ownGid, home, group, customers, top] = (await ssh('coder', facts)).stdout.split('\n')

    expect([ownUid, ownGid, home, customers]).toEqual([uid, uid, '/srv/www/coder/home', 'coder'])
    expect(group).toMatch(/^0::\/wcp\.slice\/wcp-coder\.slice\/wcp-ssh-[0-9a-f-]{36}\.scope$/)
    expect(top).toContain('srv')
    await hold('coder', 'held')
    await eventually(machine, 'pgrep -u coder -x sleep', /\d/)
    const slice = '/sys/fs/cgroup/wcp.slice/wcp-coder.slice'
    expect(await machine.succeed(`cat ${slice}/pids.max ${slice}/memory.max`)).toBe(`64\n${256 * 1024 * 1024}\n`)
    // without a terminal a command outlives its client
    await machine.succeed('systemctl stop held && pkill -u coder -x sleep')
  })

  it('shows no name of another tenant that is signed in, no account, no socket of the panel, and changes nothing of the machine', async () => {
    const quiet = `sleep 600 | sftp -q ${options('painter').join(' ')} painter@127.0.0.1`
    await machine.succeed(['systemd-run', '--quiet', '--collect', '--unit=other', 'bash', '-c', quiet])
    await eventually(machine, 'ls -d /sys/fs/cgroup/wcp.slice/wcp-painter.slice/wcp-ssh-*', /scope/)
    const seen = async (word: string) =>
      Paths.parse(JSON.parse((await ssh('coder', `php ${docroot}/seen.php ${word}`)).stdout))

    expect(await seen('coder')).toEqual(expect.arrayContaining(['/proc/self/cgroup', '/srv/www/coder']))
    expect(await seen('painter')).toEqual([])
    expect((await visit(machine, site, '/seen.php?word=painter')).text).toBe('[]')
    const { stdout } = await ssh(
      'coder',
      'for x in /etc/userdb /run/systemd /run/dbus /etc/wcp360 /opt /root /etc/ssh; do ls -A $x; done 2>/dev/null; ' +
        'ls -A /run/wcp360; ps ax -o user= | sort -u; touch /etc/x /usr/x /run/x /x /dev/x 2>/dev/null || echo whole',
    )
    expect(stdout).toBe('bash\nsftp-only\ncoder\nwhole\n')
    await machine.succeed('systemctl stop other')
  })

  it('gives no more rights by anything that the tenant leaves in its home or asks for', async () => {
    await machine.succeed(`cd /srv/www/coder/home && mkdir -p .ssh && cp /usr/bin/id ./rooted && chown root: rooted && chmod 4755 rooted
      printf 'touch /srv/www/coder/home/rc-ran\\n' >.ssh/rc && echo 'LD_PRELOAD=/srv/www/coder/home/x.so' >.ssh/environment
      cp /root/keys/painter.pub .ssh/authorized_keys && chown -R coder: .ssh`)
    const more = ['-o', 'SetEnv=LD_PRELOAD=/srv/www/coder/home/x.so BASH_ENV=/srv/www/coder/home/.ssh/rc']
    const words = './rooted -u; echo "[$LD_PRELOAD$BASH_ENV]"; ls; unshare -r true 2>/dev/null || echo refused'

    expect((await ssh('coder', words, more)).stdout).toBe(`${await uidOf('coder')}\n[]\nrooted\nrefused\n`)
    const foreign = ['ssh', '-n', ...options('painter'), 'coder@127.0.0.1', 'true']
    expect((await client(foreign)).code).toBe(refused)
    await machine.succeed('rm -r /srv/www/coder/home/{rooted,.ssh}')
  })

  it('forwards nothing', async () => {
    const forward = ['-o', 'ExitOnForwardFailure=yes', '-R', '127.0.0.1:7777:127.0.0.1:80']
    expect((await ssh('coder', 'true', forward)).code).toBe(refused)
    const through = ['ssh', '-n', ...options('coder'), '-W', '127.0.0.1:80', 'coder@127.0.0.1']
    const { code, stderr } = await client(through)
    expect([code, stderr]).toEqual([refused, expect.stringMatching(/forwarding|prohibited/)])
  })

  it('is a terminal where one is asked for', async () => {
    const said = await machine.run([
      'ssh',
      '-tt',
      ...options('coder'),
      'coder@127.0.0.1',
      'tty; script -qec tty /dev/null',
    ])
    expect(said.stdout).toMatch(/^\/dev\/pts\/\d+\r\n\/dev\/pts\/\d+\r\n/)
  })

  it('carries files by sftp, scp and rsync, as the tenant and below nobody else', async () => {
    await machine.succeed(
      'mkdir -p /root/put && head -c 8000000 /dev/urandom >/root/put/big && cp /etc/services /root/put/ü',
    )
    const sum = 'sha256sum * | cut -c1-64'
    const wanted = await machine.succeed(`cd /root/put && ${sum}`)
    const batch = `mkdir ${docroot}/sftp\ncd ${docroot}/sftp\nput /root/put/*\nls /etc/userdb\n`
    const shell = `ssh ${options('coder').join(' ')}`

    expect((await sftp('coder', batch)).stderr).toContain('Permission denied')
    await machine.succeed(['scp', '-q', '-r', ...options('coder'), '/root/put', `coder@127.0.0.1:${docroot}/scp`])
    await machine.succeed(['rsync', '-a', '-e', shell, '/root/put/', `coder@127.0.0.1:${docroot}/rsync`])

    for (const way of ['sftp', 'scp', 'rsync'])
      expect(await machine.succeed(`cd ${docroot}/${way} && ${sum}`), way).toBe(wanted)
    expect(await machine.succeed(`find ${docroot}/sftp ! -user coder -o ! -group www-data`)).toBe('')
    expect((await visit(machine, site, '/scp/%C3%BC')).status).toBe(200)
  })

  it('gives files without a shell where the package says so', async () => {
    expect((await sftp('painter', 'pwd\nput /etc/services\n')).stdout).toContain('/srv/www/painter/home')
    const { code, stdout } = await ssh('painter', 'id')
    expect([code, stdout]).toEqual([1, expect.stringContaining('not available')])
  })

  it('goes on without the agent', async () => {
    await machine.succeed('systemctl stop wcpd')
    expect(await ssh('coder', 'echo in')).toMatchObject({ code: 0, stdout: 'in\n' })
    await machine.succeed('systemctl start wcpd')
    await eventually(machine, 'wcp status', /nginx +running/)
  })

  it('opens no session that is not whole', async () => {
    const without = async (take: string, giveBack: string) => {
      await machine.succeed(take)
      const { code, stdout } = await ssh('coder', 'echo in')
      await machine.succeed(giveBack)
      return code === 0 ? 'was let in' : stdout
    }
    const membership = 'coder:wcp360-tenants.membership'

    expect(await without('chmod -x /opt/wcp360/bin/wcpd-session', 'chmod +x /opt/wcp360/bin/wcpd-session')).toBe('')
    expect(await without(`mv /etc/userdb/${membership} /root/`, `mv /root/${membership} /etc/userdb/`)).toBe('')
    expect(await ssh('coder', 'echo in')).toMatchObject({ code: 0, stdout: 'in\n' })
  })

  it('is listed while it is open, ended alone, and in the trail with its key', async () => {
    await hold('coder', 'one')
    await hold('coder', 'two')
    await eventually(machine, 'pgrep -c -u coder -x sleep', /^2$/m)
    const open = async () => Open.parse(JSON.parse(await machine.succeed(list))).items
    const list = ['wcp', 'ssh-session', 'list', '--tenant', 'coder', '--json']
    const [first, second] = await open()
    expect(first).toMatchObject({ tenantName: 'coder', key: 'coder', from: '127.0.0.1' })

    await machine.succeed(['wcp', 'ssh-session', 'end', first?.id ?? '', '--yes'])

    expect((await open()).map(({ id }) => id)).toEqual([second?.id])
    expect((await machine.succeed('pgrep -c -u coder -x sleep')).trim()).toBe('1')
    const trail = `wcp audit list --action ssh-session.open --limit 200 --json | jq -r '.items[] | .id + " " + .actor + " " + .ip'`
    await eventually(machine, trail, new RegExp(`^${second?.id} ssh-key coder 127.0.0.1$`, 'm'))
    const entries = (await machine.succeed(trail)).trim().split('\n')
    expect(entries).toContain(`${first?.id} ssh-key coder 127.0.0.1`)
    expect(new Set(entries).size).toBe(entries.length)
    await machine.succeed('systemctl stop one two; pkill -u coder -x sleep')
    await eventually(machine, 'ls /run/wcp360/sessions | wc -l', /^0$/m)
  })

  it('ends with the suspension of the tenant, and comes back after it', async () => {
    await hold('coder', 'held')
    await eventually(machine, 'pgrep -u coder -x sleep', /\d/)

    await machine.succeed(['wcp', 'tenant', 'suspend', 'coder', '--yes'])

    expect((await machine.run('pgrep -u coder')).stdout).toBe('')
    expect((await ssh('coder', 'true')).code).toBe(refused)
    expect(await machine.succeed('journalctl -t wcpd-session -o cat --no-pager')).toContain(
      'coder: the tenant is suspended',
    )
    await machine.succeed(['wcp', 'tenant', 'unsuspend', 'coder'])
    expect((await ssh('coder', 'true')).code).toBe(0)
  })

  it('refuses a key that was taken away, and all when the package gives nothing any more', async () => {
    await machine.succeed(['ssh-keygen', '-q', '-t', 'rsa', '-b', '3072', '-N', '', '-f', '/root/keys/second'])
    expect(await addKey('coder', 'second')).toMatchObject({ code: 0 })
    const second = ['ssh', '-n', ...options('second'), 'coder@127.0.0.1', 'true']
    expect((await client(second)).code).toBe(0)
    const gone = (await keysOf('coder')).find(({ name }) => name === 'second')
    await machine.succeed(['wcp', 'ssh-key', 'delete', gone?.id ?? '', '--yes'])
    expect((await client(second)).code).toBe(refused)

    await hold('coder', 'left')
    await eventually(machine, 'pgrep -u coder -x sleep', /\d/)
    await machine.succeed(['wcp', 'package', 'update', 'coder', '--ssh-access', 'none'])
    await eventually(machine, 'getent passwd coder', /closed$/m)
    await eventually(machine, 'pgrep -u coder -x sleep || echo none', /^none$/m)
    expect((await ssh('coder', 'true')).code).toBe(refused)
    expect((await sftp('coder', 'pwd\n')).code).toBe(refused)
  })

  it('lets a key in from its addresses alone, until it expires', async () => {
    await machine.succeed(['wcp', 'package', 'update', 'coder', '--ssh-access', 'sftp'])
    await eventually(machine, 'getent passwd coder', /sftp-only$/m)
    await machine.succeed(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', '/root/keys/third'])
    await machine.succeed(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', '/root/keys/fourth'])
    expect(await addKey('coder', 'third', ['--addresses', '203.0.113.0/24', '--days', '1'])).toMatchObject({ code: 0 })
    expect(await addKey('coder', 'fourth', ['--addresses', '127.0.0.0/8', '--days', '1'])).toMatchObject({ code: 0 })
    const pwd = (key: string) => client(['sftp', '-q', '-b', '-', ...options(key), 'coder@127.0.0.1'], 'pwd\n')

    expect((await pwd('third')).code).toBe(refused)
    expect((await pwd('fourth')).code).toBe(0)
    const file = '/var/lib/wcp360-web/tenants/coder/authorized_keys'
    await machine.succeed(`sed -i -E 's/expiry-time="[0-9]{4}/expiry-time="2020/' ${file}`)
    expect((await pwd('fourth')).code).toBe(refused)
    await machine.succeed(['wcp', 'tenant', 'repair', 'coder'])
    expect((await pwd('fourth')).code).toBe(0)
  })

  it('leaves no unit, no process and no mount behind', async () => {
    await eventually(machine, 'systemctl list-units --all --plain --no-legend "wcp-ssh-*" | wc -l', /^0$/m)
    expect((await machine.run('pgrep -u coder; pgrep -u painter')).stdout).toBe('')
    expect(await machine.succeed('wc -l </proc/mounts')).toBe(mounts)
  })

  it('is over when the program is removed, and root comes in as before', async () => {
    await machine.succeed('cd /root/wcp360 && ./install.sh --uninstall', { timeout: 300_000 })

    expect((await machine.run(`ls ${door} /etc/pam.d/wcp360-ssh /etc/security/namespace.d/wcp360.conf`)).stdout).toBe(
      '',
    )
    expect((await ssh('painter', 'true')).code).toBe(refused)
    expect((await sftp('painter', 'pwd\n')).code).toBe(refused)
    await machine.succeed('cat /root/keys/painter.pub >>/root/.ssh/authorized_keys')
    expect((await machine.run(['ssh', '-n', ...options('painter'), 'root@127.0.0.1', 'id -u'])).stdout).toBe('0\n')
  })
})
