/** The services as systemd runs them: how tight, how they come back, how they take a new configuration; and `wcp emergency`. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { localCertificate } from '../support/local-certificate.ts'
import { configuration, zoneFile } from '../support/name-server.ts'
import { type KeyPair, TlsVisitor } from '../support/tls-visitor.ts'
import type { Machine } from './harness/machine.ts'
import { installed } from './installed.ts'
import { admin, browserOf, eventually, putWhoPage, setUp, visit } from './server.ts'
import { commandsOfTenants } from './tenant-commands.ts'
import type { Visitor } from './visitor.ts'

const site = 'acme.example.com'
const Proofs = z.object({ items: z.array(z.object({ recordName: z.string(), recordValue: z.string() })) })

describe('the services on a server', () => {
  let machine: Machine
  let panel: Visitor

  beforeAll(async () => {
    machine = await installed('trixie-ready')
    panel = await browserOf(machine)
    await setUp(machine, panel)
    await machine.succeed(['wcp', 'tenant', 'create', 'acme', '--domain', site])
    await putWhoPage(machine, 'acme', site)
  })

  afterAll(() => machine?.stop())

  const pidOf = async (unit: string) =>
    (await machine.succeed(['systemctl', 'show', '-p', 'MainPID', '--value', unit])).trim()

  it('are confined as tightly as promised', { timeout: 300_000 }, async () => {
    await visit(machine, site, '/who.php')
    const promised = {
      'wcpd.service': 4,
      'wcpd-panel.service': 1.5,
      'wcpd-waker.service': 1.5,
      'wcp-fpm-acme.service': 3,
    }

    for (const [unit, most] of Object.entries(promised)) {
      const said = await machine.succeed(['systemd-analyze', 'security', '--no-pager', unit])
      const exposure = Number(/Overall exposure level for \S+: ([0-9.]+)/.exec(said)?.[1])
      expect(exposure, unit).toBeLessThanOrEqual(most)
    }
  })

  it('are above all tenants, who together have a ceiling', async () => {
    const [total, most] = (
      await machine.succeed('free -b | awk "/^Mem/ { print \\$2 }"; cat /sys/fs/cgroup/wcp.slice/memory.max')
    )
      .trim()
      .split('\n')
      .map(Number)

    expect((most ?? 0) / (total ?? 1)).toBeCloseTo(0.75, 2)
    expect(Number(await machine.succeed('cat /sys/fs/cgroup/wcp.slice/pids.max'))).toBeGreaterThan(100)
  })

  describe('for a tenant of a fifth of a processor', () => {
    const quota = 'cat /sys/fs/cgroup/wcp.slice/wcp-tiny.slice/cpu.max'
    const master = () => pidOf('wcp-fpm-tiny')

    beforeAll(async () => {
      await machine.succeed(['wcp', 'package', 'create', 'small', '--cpu-pct', '20'])
      await machine.succeed(['wcp', 'tenant', 'create', 'tiny', '--package', 'small', '--domain', 'tiny.example.com'])
      await putWhoPage(machine, 'tiny', 'tiny.example.com')
    })

    it('wake its PHP on a whole processor, and hold it to its package after that', async () => {
      expect((await visit(machine, 'tiny.example.com', '/who.php')).status).toBe(200)

      expect(await machine.succeed('journalctl -b -o cat --no-pager -u wcpd | grep -c "did not start" || true')).toBe(
        '0\n',
      )
      await eventually(machine, quota, /^20000 100000/)
      expect(await machine.succeed('ls -A /run/wcp360/fpm')).not.toContain('.burst')
    })

    it('change its limits while its PHP goes on', async () => {
      const before = await master()

      await machine.succeed(['wcp', 'package', 'update', 'small', '--cpu-pct', '30', '--mem-mb', '256'])
      await eventually(machine, quota, /^30000 100000/)

      expect(Number(before)).toBeGreaterThan(0)
      expect(await master()).toBe(before)
    })

    it('lower a quota that an agent had raised when it was killed', async () => {
      await machine.succeed('systemctl set-property --runtime wcp-tiny.slice CPUQuota=100%')
      await machine.succeed('touch /run/wcp360/fpm/.tiny.burst && systemctl kill -s KILL wcpd')

      await eventually(machine, quota, /^30000 100000/)
      await eventually(machine, 'wcp status', /nginx +running/)
    })
  })

  it('tell of limits that somebody else gave a slice, and put them back', async () => {
    const slice = '/sys/fs/cgroup/wcp.slice/wcp-held.slice'
    const limits = ['--cpu-pct', '50', '--mem-mb', '256', '--pids', '64', '--io-mbps', '20']
    await machine.succeed(['wcp', 'package', 'create', 'held', ...limits])
    await machine.succeed(['wcp', 'tenant', 'create', 'held', '--package', 'held'])
    await machine.succeed('systemd-run --slice=wcp-held.slice --unit=holds-the-slice sleep 600')
    await machine.succeed(['wcp', 'tenant', 'repair', 'held'])
    const drift = async () => machine.succeed(['wcp', 'health', 'drift', '--json'])
    const inKernel = () => machine.succeed(`cd ${slice} && cat cpu.max memory.max pids.max io.max`)
    const asItShouldBe = await inKernel()
    expect(asItShouldBe).toMatch(/^50000 100000\n268435456\n64\n\S+ rbps=20000000 wbps=20000000 /)
    expect(await drift()).not.toContain('limits of held')

    await machine.succeed('systemctl set-property --runtime wcp-held.slice MemoryMax=infinity CPUQuota=')
    await machine.succeed(`echo max >${slice}/pids.max && sed 's/=2/=9/g' ${slice}/io.max >${slice}/io.max`)
    const told = await drift()
    for (const file of ['cpu.max', 'memory.max', 'pids.max', 'io.max']) expect(told).toContain(`${file}: `)
    await machine.succeed(['wcp', 'health', 'repair', 'tenant held'])
    await eventually(machine, `cat ${slice}/pids.max`, /^64$/m)

    expect(await inKernel()).toBe(asItShouldBe)
    expect(await drift()).not.toContain('limits of held')
    await machine.succeed('systemctl stop holds-the-slice')
  })

  it('tell of what somebody sets beside their units, until it is adopted, and of nothing before', async () => {
    const ofProgram = async () => {
      const { items } = JSON.parse(await machine.succeed(['wcp', 'health', 'drift', '--json']))
      return JSON.stringify(items.filter((one: { resource: string }) => one.resource === 'program'))
    }
    expect(await ofProgram()).toBe('[]')

    const folder = '/etc/systemd/system/wcpd-panel.service.d'
    await machine.succeed(`mkdir ${folder} && echo '[Service]' >${folder}/mine.conf`)
    expect(await ofProgram()).toContain('mine.conf changes wcpd-panel.service')
    await machine.succeed(['wcp', 'health', 'adopt', 'program'])
    await eventually(machine, 'wcp health drift --json', /mine.conf: adopted by root/)
    expect(await ofProgram()).not.toContain('"action":"remove"')
    await machine.succeed(`rm -r ${folder}`)
  })

  it('know what a tenant occupies by the quota of the file system, wherever it lies there', async () => {
    const next = "$(($(ls /etc/userdb | sed -n 's/^\\([0-9]*\\)[.]user$/\\1/p' | sort -n | tail -n 1) + 1))"
    await machine.succeed(`fallocate -l 100M /srv/outside && chown ${next} /srv/outside`)

    await machine.succeed(['wcp', 'tenant', 'create', 'counted'])

    await eventually(machine, 'wcp tenant get counted --json', /"diskMb": ?10[0-9]\b/, 180)
  })

  commandsOfTenants(() => machine, { tenant: 'acme', site })

  it('go after nginx, which may have run since before they were installed', async () => {
    expect((await machine.succeed('ps -C nginx -o ni= | sort -u')).trim()).toBe('-10')
  })

  it('come back when the agent is killed, and sites are served meanwhile', async () => {
    const before = await pidOf('wcpd')
    await machine.succeed(['kill', '-KILL', before])

    expect((await visit(machine, site, '/who.php')).status).toBe(200)
    await eventually(machine, 'wcp status', /nginx +running/)
    expect(await pidOf('wcpd')).not.toBe(before)
    expect(await machine.succeed(['systemctl', 'is-active', 'wcpd', 'wcpd-panel', 'wcpd-waker'])).toBe(
      'active\nactive\nactive\n',
    )
    // jobs reach the machine again
    await machine.succeed(['wcp', 'domain', 'create', 'acme', 'second.example.com'])
    expect((await visit(machine, 'second.example.com')).status).toBe(200)
  })

  it('come back when panel or waker are killed, without a word from the agent', async () => {
    const before = await pidOf('wcpd')
    await machine.succeed('systemctl kill -s KILL wcpd-panel wcpd-waker')

    await eventually(machine, 'wcp status', /nginx +running/)
    await eventually(machine, 'systemctl is-active wcpd-waker', /^active/)
    expect(await pidOf('wcpd')).toBe(before)
  })

  it('take a new configuration by a reload, and keep the old one when it is wrong', async () => {
    const [agent, oldPanel] = [await pidOf('wcpd'), await pidOf('wcpd-panel')]
    await machine.succeed('echo "log_level: debug" >>/etc/wcp360/config.yaml && systemctl reload wcpd')
    await eventually(machine, 'journalctl -u wcpd -o cat --no-pager', /configuration reloaded/)
    await eventually(machine, 'wcp status', /nginx +running/)
    const newPanel = await pidOf('wcpd-panel')
    expect(await pidOf('wcpd')).toBe(agent)
    expect(newPanel).not.toBe(oldPanel)

    await machine.succeed('echo "log_lvel: info" >>/etc/wcp360/config.yaml && systemctl reload wcpd')
    await eventually(machine, 'journalctl -u wcpd -o cat --no-pager', /"problem":.*log_lvel/)
    expect([await pidOf('wcpd'), await pidOf('wcpd-panel')]).toEqual([agent, newPanel])
    await machine.succeed("sed -i '/log_l/d' /etc/wcp360/config.yaml && systemctl reload wcpd")
  })

  it('ask for a certificate on a second port when they are told to, and let nobody in without it who has one', async () => {
    const ann = { email: 'ann@example.com', password: 'her own fine password' }
    const pair = localCertificate()
    const visitor = async (port: number, shown?: KeyPair) => new TlsVisitor(await machine.forward(port), shown)
    const setting = 'certificate_port: 8361'
    const input = `${ann.password}\n`
    await machine.succeed(`echo "${setting}" >>/etc/wcp360/config.yaml && systemctl restart wcpd`)
    await eventually(machine, 'wcp status', /nginx +running/)
    await machine.succeed(['wcp', 'user', 'create', ann.email, '--role', 'system_admin'], { input })

    const first = await visitor(8361, pair)
    await first.form('/login', ann)
    const { body } = await first.form('/account/certificates', { name: 'laptop', certificate: pair.cert })
    expect(body).toContain('The certificate is registered')
    expect((await (await visitor(8361, pair)).form('/login', ann)).location).toBe('/')
    for (const port of [8360, 8361])
      expect((await (await visitor(port)).form('/login', ann)).location).toMatch(/^\/login\/code/)

    await machine.succeed(`sed -i '/${setting}/d' /etc/wcp360/config.yaml && systemctl restart wcpd`)
    await eventually(machine, 'wcp status', /nginx +running/)
  })

  it('see the proof of a domain at the resolver that they are told of', async () => {
    const bob = { email: 'bob@example.com', password: 'his own fine password' }
    const [zone, shop] = ['example.org', 'shop.example.org']
    const setting = 'dns_servers: 127.0.0.1:5300'
    const putZone = (serial: number, ...records: string[]) =>
      machine.succeed(`cat >/root/dns/${zone}.zone`, { input: zoneFile(zone, serial, records) })
    const proofs = ['wcp', 'domain', 'proofs', shop, '--json']
    await machine.succeed('mkdir -p /root/dns/run && cat >/root/dns/nsd.conf', {
      input: configuration('/root/dns', 5300, [zone]),
    })
    await putZone(1)
    await machine.succeed(['systemd-run', '--unit=name-server', '/usr/sbin/nsd', '-d', '-c', '/root/dns/nsd.conf'])
    await machine.succeed(`echo "${setting}" >>/etc/wcp360/config.yaml && systemctl restart wcpd`)
    await eventually(machine, 'wcp status', /nginx +running/)
    const asUser = ['--role', 'user', '--tenant', 'acme']
    await machine.succeed(['wcp', 'user', 'create', bob.email, ...asUser], { input: `${bob.password}\n` })
    const customer = await browserOf(machine)
    await customer.submit(await customer.get('/login'), '/login', bob)

    const made = await customer.api('POST', '/domains', { tenant: 'acme', fqdn: shop, php: 'none' })
    expect(made.status, made.text).toBe(201)
    await eventually(machine, proofs.join(' '), /NXDOMAIN/)
    expect((await machine.run(`curl -s -H 'Host: ${shop}' http://127.0.0.1/`)).stdout).toBe('')
    const [proof] = Proofs.parse(JSON.parse(await machine.succeed(proofs))).items
    await putZone(2, `${proof?.recordName}. TXT "${proof?.recordValue}"`)
    await machine.succeed(['systemctl', 'kill', '-s', 'HUP', 'name-server'])

    await eventually(machine, `wcp domain verify ${shop} >/dev/null 2>&1; wcp domain get ${shop}`, /^status +active$/im)
    expect((await visit(machine, shop)).status).toBe(200)

    await machine.succeed(`sed -i '/dns_servers/d' /etc/wcp360/config.yaml && systemctl restart wcpd`)
    await eventually(machine, 'wcp status', /nginx +running/)
  })

  describe('by wcp emergency, while the daemon is stopped', () => {
    const password = 'quite another fine password'

    beforeAll(async () => {
      await machine.succeed(['systemctl', 'stop', 'wcpd'])
    })

    it('lets a tenant be suspended at once', async () => {
      await machine.succeed(['wcp', 'emergency', 'suspend', 'acme'])

      expect((await visit(machine, site, '/who.php')).status).toBe(503)
      expect((await machine.run('pgrep -u "$(id -u acme)"')).code).toBe(1)
    })

    it("lets the administrator's password be reset", async () => {
      await machine.succeed(['wcp', 'emergency', 'reset-password', admin.email], { input: `${password}\n` })
    })

    it('and leaves nothing in the panel directory that is not its own', async () => {
      expect(await machine.succeed('find /var/lib/wcp360 ! -user wcp360')).toBe('')
    })

    it('shows both in the panel afterwards', async () => {
      await machine.succeed(['systemctl', 'start', 'wcpd'])
      await eventually(machine, 'wcp status', /nginx +running/)

      expect((await panel.send('GET', '/')).status).toBe(303) // the old session has ended
      const again = await browserOf(machine)
      await expect(again.submit(await again.get('/login'), '/login', admin)).rejects.toThrow(/answered 4\d\d/)
      const home = await again.submit(await again.get('/login'), '/login', { email: admin.email, password })
      expect(home).toContain('Overview')
      expect(await again.get('/tenants')).toMatch(/[Ss]uspended/)

      await machine.succeed(['wcp', 'tenant', 'unsuspend', 'acme'])
      expect((await visit(machine, site, '/who.php')).status).toBe(200)
      expect(await machine.succeed(['wcp', 'audit', 'verify'])).toMatch(/./)
    })
  })
})
