/** From a bare server to a served site: an application that many people use, for one tenant, out of reach of another. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Machine } from './harness/machine.ts'
import { rootPassword } from './harness/recipe.ts'
import { installed } from './installed.ts'
import { browserOf, eventually, setUp, visit as visitOn } from './server.ts'
import type { Visitor } from './visitor.ts'
import { firstConfiguration, hashWithPhp, Wiki } from './wiki.ts'

/** An emulated machine takes its time. */
const patience = { timeout: 120_000, interval: 1_000 }
const wikiRoot = '/srv/www/wiki/sites/wiki.example.com/public'

describe('a server with the product on it', () => {
  let machine: Machine
  let panel: Visitor

  beforeAll(async () => {
    machine = await installed('trixie-ready')
    panel = await browserOf(machine)
  })

  afterAll(() => machine?.stop())

  /** In a new process of the tenant's own uid, as if it had a login. */
  async function asLinuxUser(tenant: string, command: readonly string[]) {
    const uid = (await machine.succeed(['id', '-u', tenant])).trim()
    return await machine.run(['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', ...command])
  }

  const visit = (host: string, target: string) => visitOn(machine, host, target)

  /** Of this boot. */
  async function loudLines(): Promise<readonly string[]> {
    const lines = await machine.succeed('journalctl -b -u wcpd -u wcpd-panel -u wcpd-waker -o cat --no-pager')
    return lines.split('\n').filter((line) => /"level":(50|60)|Error:|unhandled|coredump/i.test(line))
  }

  async function put(tenant: string, path: string, text: string): Promise<void> {
    await machine.succeed(`cat > '${path}' && chown ${tenant}:${tenant} '${path}'`, { input: text })
  }

  it('is set up by root once, and never again', async () => {
    const welcome = await panel.get('/')
    expect(welcome).toContain('wcp setup open')
    expect(welcome).not.toContain('type="password"')

    const refused = await panel.send('POST', '/bootstrap', { _csrf: 'wrong', password: rootPassword })
    expect(refused.status).toBe(403)
    const home = await setUp(machine, panel)

    expect(home).toContain('Overview')
    expect((await panel.send('GET', '/bootstrap')).status).toBe(404)
  })

  it('answers wcp, and finds itself in order', async () => {
    expect(await machine.succeed(['wcp', 'status'])).toMatch(/nginx +running/)
    const findings = JSON.parse((await machine.run(['wcp', 'doctor', '--json'])).stdout) as {
      name: string
      state: string
      detail: string
    }[]
    expect(findings.filter(({ state }) => state !== 'ok')).toEqual([])
  })

  it('shows what a new tenant would change, and changes nothing', async () => {
    const plan = await machine.succeed(['wcp', 'tenant', 'create', 'wiki', '--domain', 'wiki.example.com', '--plan'])

    expect(plan).toMatch(/\+ .*\/srv\/www\/wiki/)
    expect((await machine.run(['test', '-e', '/srv/www/wiki'])).code).not.toBe(0)
  })

  it('creates a tenant with a site that answers, without a reload of the web server', async () => {
    const generation = async () => await machine.succeed('pgrep -u wcp360-web -x nginx')
    const before = await generation()

    await machine.succeed(['wcp', 'tenant', 'create', 'wiki', '--domain', 'wiki.example.com'])
    await machine.succeed(['wcp', 'tenant', 'create', 'other', '--domain', 'other.example.com'])

    await expect.poll(async () => (await visit('other.example.com', '/')).status, patience).toBe(200)
    expect((await visit('wiki.example.com', '/')).status).toBe(200)
    expect(await generation()).toBe(before)
  })

  it('has no process and no unit of an idle tenant', async () => {
    expect((await machine.run('pgrep -u "$(id -u wiki)"')).code).toBe(1)
    expect(
      await machine.succeed('systemctl list-units --all --plain --no-legend "wcp-*" | grep -E "wiki|other" || true'),
    ).toBe('')
  })

  it('serves DokuWiki: set up, a page written and read back', async () => {
    await machine.succeed(`cp -r /opt/dokuwiki/* ${wikiRoot}/ && rm ${wikiRoot}/index.html`)
    const hash = await machine.succeed(hashWithPhp)
    for (const [file, text] of Object.entries(firstConfiguration(hash))) {
      await machine.succeed(`cat > ${wikiRoot}/conf/${file}`, { input: text })
    }
    await machine.succeed(`chown -R wiki:www-data ${wikiRoot}`)
    const wiki = new Wiki(`http://127.0.0.1:${await machine.forward(80)}`, 'wiki.example.com')

    await wiki.signIn()
    await wiki.rename('Hosted wiki')
    await wiki.write('notes:first', '====== First ======\n\nHello **there**, it works.')

    expect(await wiki.read('/doku.php?id=start')).toContain('Hosted wiki')
    expect(await wiki.read('/doku.php/notes:first')).toContain('<strong>there</strong>, it works')
  })

  it("runs the tenant's PHP under its uid and in its slice", async () => {
    await put(
      'wiki',
      `${wikiRoot}/who.php`,
      '<?php echo posix_geteuid(), " ", posix_getegid(), " ", implode(",", posix_getgroups()), "\n", file_get_contents("/proc/self/cgroup");',
    )
    const uid = (await machine.succeed(['id', '-u', 'wiki'])).trim()
    const [, , tenants] = (await machine.succeed(['getent', 'group', 'wcp360-tenants'])).split(':')

    const { text } = await visit('wiki.example.com', '/who.php')

    // by the other group sshd knows tenants; nothing on the machine is of that group
    expect(text).toMatch(new RegExp(`^${uid} ${uid} (${uid}|${tenants}|${tenants},${uid}|${uid},${tenants})?\\n0::`))
    expect(await machine.succeed('find / /srv -xdev -group wcp360-tenants 2>/dev/null | head')).toBe('')
    const units = await machine.succeed(`for pid in $(pgrep -u ${uid}); do cat /proc/$pid/cgroup; done`)
    expect(units.trim().split('\n')).toSatisfy((lines: string[]) =>
      lines.every((line) => line.includes('/wcp-wiki.slice/')),
    )
  })

  it("writes what the tenant's PHP has to say into the journal, with who said it", async () => {
    await put('wiki', `${wikiRoot}/broken.php`, '<?php error_log("heard from the wiki"); nobody_defined_this();')

    expect((await visit('wiki.example.com', '/broken.php')).status).toBe(500)

    const uid = (await machine.succeed(['id', '-u', 'wiki'])).trim()
    const said = ['journalctl', '-t', 'php-wiki', `_UID=${uid}`, '-o', 'cat', '--no-pager']
    await expect.poll(async () => await machine.succeed(said), patience).toContain('nobody_defined_this()')
    expect(await machine.succeed(said)).toContain('heard from the wiki')
  })

  it('gives the tenant the limits of its package', async () => {
    const slice = '/sys/fs/cgroup/wcp.slice/wcp-wiki.slice'
    await machine.succeed(['wcp', 'package', 'create', 'small', '--cpu-pct', '50', '--mem-mb', '256', '--pids', '64'])
    await machine.succeed(['wcp', 'tenant', 'update', 'wiki', '--package', 'small'])
    await visit('wiki.example.com', '/who.php')

    // the processor's limit is raised for a moment while its PHP wakes
    const limits = new RegExp(`^64\\n50000 100000\\n${256 * 1024 * 1024}\\n$`)
    await eventually(machine, `cat ${slice}/pids.max ${slice}/cpu.max ${slice}/memory.max`, limits)
  })

  describe('keeps the wiki from the other tenant', () => {
    const secret = `${wikiRoot}/conf/local.php`

    let probes = 0

    /** A file of its own each time: PHP keeps a compiled one for two seconds before it looks again. */
    async function otherPhp(code: string): Promise<string> {
      const name = `probe${++probes}.php`
      await put('other', `/srv/www/other/sites/other.example.com/public/${name}`, `<?php error_reporting(0); ${code}`)
      return (await visit('other.example.com', `/${name}`)).text
    }

    it('by PHP', async () => {
      expect(await otherPhp(`echo "own:", file_get_contents(__FILE__) !== false ? "yes" : "no";`)).toBe('own:yes')
      expect(await otherPhp(`var_dump(file_get_contents("${secret}"), scandir("/srv/www/wiki"));`)).toMatch(
        /^bool\(false\)\nbool\(false\)/,
      )
    })

    it('by its own Linux user', async () => {
      expect(await machine.succeed(['wcp', 'run', 'wiki.example.com', '--', 'cat', secret])).not.toBe('')
      expect((await asLinuxUser('other', ['cat', secret])).stderr).toMatch(/Permission denied/)
      expect((await asLinuxUser('other', ['ls', '/srv/www'])).stderr).toMatch(/Permission denied/)
    })

    it('by symlinks that the web server would follow', async () => {
      const link = (name: string, target: string) =>
        machine.succeed(['wcp', 'run', 'other.example.com', '--', 'ln', '-sfn', target, name])
      await link('stolen.txt', secret)
      await link('stolen', wikiRoot)
      await link('passwd.txt', '/etc/passwd')

      for (const target of ['/stolen.txt', '/stolen/conf/local.php', '/stolen/doku.php', '/passwd.txt']) {
        expect([403, 404]).toContain((await visit('other.example.com', target)).status)
      }
    })

    it('by FPM sockets', async () => {
      await visit('wiki.example.com', '/who.php')
      expect(
        (await asLinuxUser('other', ['curl', '-sS', '--unix-socket', '/run/wcp360/fpm/wiki.sock', 'http://x/'])).code,
      ).not.toBe(0)
      expect(await otherPhp(`var_dump(stream_socket_client("unix:///run/wcp360/fpm/wiki.sock"));`)).toMatch(
        /^bool\(false\)/,
      )
    })

    it('by /proc', async () => {
      await visit('wiki.example.com', '/who.php')
      const seen = await otherPhp(
        `foreach (glob("/proc/[0-9]*") as $p) { $s = stat($p); echo $s["uid"] === posix_geteuid() ? "" : "$p "; } echo "end";`,
      )
      expect(seen).toBe('end')
    })

    it('by /tmp', async () => {
      await put(
        'wiki',
        `${wikiRoot}/tmp.php`,
        '<?php var_dump(file_put_contents("/tmp/of-the-wiki", "x")); var_dump(file_put_contents("/var/tmp/of-the-wiki", "x"));',
      )
      expect((await visit('wiki.example.com', '/tmp.php')).text).toMatch(/^int\(1\)/)
      expect(await otherPhp(`var_dump(file_exists("/tmp/of-the-wiki"), file_exists("/var/tmp/of-the-wiki"));`)).toMatch(
        /^bool\(false\)\nbool\(false\)/,
      )
    })
  })

  it('suspends a tenant: a clear page, no process; and brings back what was', async () => {
    await machine.succeed(['wcp', 'tenant', 'suspend', 'wiki', '--yes'])
    const paused = await visit('wiki.example.com', '/doku.php')
    expect([paused.status, paused.text]).toEqual([503, expect.stringContaining('This site is paused')])
    expect((await machine.run('pgrep -u "$(id -u wiki)"')).code).toBe(1)

    await machine.succeed(['wcp', 'tenant', 'unsuspend', 'wiki'])
    const back = await visit('wiki.example.com', '/doku.php?id=start')
    expect([back.status, back.text]).toEqual([200, expect.stringContaining('Hosted wiki')])
  })

  it('deletes a tenant into a trash of root, and restores it as it was', async () => {
    const manifest = async () =>
      await machine.succeed('cd /srv/www/wiki && find . -printf "%p %m %U %G %s %l\\n" | sort')
    const before = await manifest()

    await machine.succeed(['wcp', 'tenant', 'delete', 'wiki', '--yes'])
    expect(
      (await machine.run(['curl', '-sS', '-m', '10', '-H', 'Host: wiki.example.com', 'http://127.0.0.1/'])).code,
    ).not.toBe(0)
    expect((await machine.run(['id', 'wiki'])).code).not.toBe(0)
    expect(await machine.succeed(['stat', '-c', '%a %U', '/srv/www/.trash'])).toBe('700 root\n')

    await machine.succeed(['wcp', 'tenant', 'restore', 'wiki'])
    expect(await manifest()).toBe(before)
    expect((await visit('wiki.example.com', '/doku.php?id=start')).text).toMatch(/Hosted wiki/)
  })

  it('refuses bad names with the field, the problem and the remedy', async () => {
    for (const name of ['-rf', 'root', 'a b', 'www-data', 'Ab', '../x', '0day']) {
      const { code, stderr } = await machine.run(['wcp', 'tenant', 'create', '--', name])
      expect([2, 6]).toContain(code)
      expect(stderr).toMatch(/name/)
    }
  })

  it('wrote no unexpected line into its logs', async () => {
    expect(await loudLines()).toEqual([])
  })

  it('comes back after a power cut by itself', async () => {
    await machine.succeed('sync')
    await machine.powerCut()
    await machine.bootAgain()

    expect(await machine.settled()).toEqual([])
    expect((await machine.run('journalctl -b -o cat | grep -i "ordering cycle"')).stdout).toBe('')
    const start = async () => (await visit('wiki.example.com', '/doku.php?id=start')).text
    await expect.poll(start, patience).toMatch(/Hosted wiki/)
    const verify = async () => (await machine.run(['wcp', 'audit', 'verify'])).code
    await expect.poll(verify, patience).toBe(0)
    expect(await loudLines()).toEqual([])
  })
})
