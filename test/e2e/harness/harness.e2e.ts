// What every other whole-server test relies on: that the machine is a real server, and that power cuts are real.

import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isRunning } from './lock.ts'
import type { Machine } from './machine.ts'
import { type Flavour, rootPassword } from './recipe.ts'
import { start, warm } from './start.ts'

const minutes = 60_000
const wanted = (process.env.WCP_E2E_FLAVOURS ?? 'trixie-ready').split(',') as Flavour[]

describe.each(wanted)('a machine of %s', { timeout: 5 * minutes }, (flavour) => {
  let machine: Machine

  beforeAll(async () => {
    machine = await start(flavour)
  }, 20 * minutes)

  afterAll(() => machine?.stop())

  it('runs Debian under systemd with nothing failed', async () => {
    expect(await machine.settled()).toEqual([])
    expect(await machine.succeed(['cat', '/proc/1/comm'])).toBe('systemd\n')
    expect(await machine.succeed(['cat', '/etc/os-release'])).toContain(`VERSION_CODENAME=${flavour.split('-')[0]}`)
  })

  it('knows the time', async () => {
    const guest = Number(await machine.succeed(['date', '+%s.%N']))

    expect(Math.abs(guest - Date.now() / 1000)).toBeLessThan(5)
  })

  it('has all cgroup controllers and pressure figures', async () => {
    const controllers = await machine.succeed(['cat', '/sys/fs/cgroup/cgroup.controllers'])

    expect(controllers.split(/\s/)).toEqual(expect.arrayContaining(['cpu', 'cpuset', 'io', 'memory', 'pids']))
    expect(await machine.succeed(['cat', '/proc/pressure/cpu', '/proc/pressure/io', '/proc/pressure/memory'])).toMatch(
      /full avg10=/,
    )
  })

  it('holds a service in a slice to its MemoryMax', async () => {
    const unit = ['systemd-run', '--wait', '--quiet', '--collect', '--slice=tenant-probe.slice', '-p', 'MemoryMax=20M']

    const modest = await machine.run([...unit, 'head', '-c', '5M', '/dev/zero'])
    const greedy = await machine.run([
      ...unit,
      '-p',
      'MemorySwapMax=0',
      'bash',
      '-c',
      'x=$(head -c 60M /dev/zero | tr "\\0" x)',
    ])

    expect(modest.code).toBe(0)
    expect(greedy.code).not.toBe(0)
    expect(await machine.succeed(['journalctl', '-k', '--no-pager', '-n', '50'])).toMatch(/tenant-probe\.slice/)
  })

  it('keeps root free of quotas and has user and project quotas on /srv', async () => {
    expect(await machine.succeed(['findmnt', '-no', 'OPTIONS', '/srv'])).toMatch(/usrquota.*prjquota/)
    expect(await machine.succeed(['findmnt', '-no', 'OPTIONS', '/'])).not.toMatch(/quota/)
    if (!flavour.endsWith('-ready')) return
    await machine.succeed('setquota -P 77 0 1024 0 0 /srv && mkdir -m 777 /srv/probe && chattr -p 77 +P /srv/probe')

    const written = await machine.run(
      'setpriv --reuid=65534 --clear-groups dd if=/dev/zero of=/srv/probe/file bs=1M count=3',
    )

    expect(written.stderr).toMatch(/quota exceeded/i)
  })

  it('lets root in through PAM by the known password only', async () => {
    const asRoot = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', 'su', '-c', 'id -u', 'root']

    expect((await machine.run(asRoot, { input: `${rootPassword}\n` })).stdout).toBe('0\n')
    expect((await machine.run(asRoot, { input: 'wrong\n' })).code).not.toBe(0)
  })

  it('passes input, output and exit codes through', async () => {
    const outcome = await machine.run('cat; echo "it\'s $0" >&2; exit 3', { input: 'ünïcode' })

    expect(outcome).toEqual({ code: 3, stdout: 'ünïcode', stderr: "it's bash\n" })
    await expect(machine.run(['sleep', '60'], { timeout: 1_000 })).rejects.toThrow(/still runs.*--- console ---/s)
  })

  it('copies files and directories both ways', async () => {
    const here = mkdtempSync(join(tmpdir(), 'harness-'))
    writeFileSync(join(here, 'tool'), 'x\0y', { mode: 0o755 })

    await machine.copyIn(join(here, 'tool'), '/root/deep/tool-copy')
    await machine.copyIn(here, '/root/tree')
    await machine.copyOut('/root/deep/tool-copy', join(here, 'back'))
    await machine.copyOut('/root/tree', join(here, 'back-tree'))

    expect(await machine.succeed(['stat', '-c', '%a %U', '/root/deep/tool-copy', '/root/tree/tool'])).toBe(
      '755 root\n755 root\n',
    )
    expect(readFileSync(join(here, 'back'), 'utf8')).toBe('x\0y')
    expect(readFileSync(join(here, 'back-tree/tool'), 'utf8')).toBe('x\0y')
  })

  it('reaches the package registries and nothing else', async () => {
    const npmRegistry = (await machine.succeed(['sed', '-n', 's/^registry=//p', '/root/.npmrc'])).trim()

    expect(await machine.run(['apt-get', '-qq', 'update'], { timeout: 2 * minutes })).toMatchObject({
      code: 0,
      stderr: '',
    })
    expect(await machine.succeed(['curl', '-sS', '-o', '/dev/null', '-w', '%{http_code}', `${npmRegistry}zod`])).toBe(
      '200',
    )
    expect((await machine.run(['curl', '-sS', '-m', '3', 'http://192.0.2.1/'])).code).not.toBe(0)
  })

  it('forwards a port that stays the same through a restore', async () => {
    const port = await machine.forward(22)
    const banner = () => execFileSync('bash', ['-c', `exec 3<>/dev/tcp/127.0.0.1/${port}; head -c 4 <&3`]).toString()

    expect(banner()).toBe('SSH-')
    await machine.restore()
    expect(await machine.forward(22)).toBe(port)
    expect(banner()).toBe('SSH-')
  })

  it('goes back to a snapshot in memory and on disk', async () => {
    await machine.succeed('touch /run/in-memory /root/on-disk')
    await machine.snapshot('before')
    await machine.succeed('rm /run/in-memory /root/on-disk; touch /root/later')

    await machine.restore('before')

    expect(await machine.succeed('ls -d /root/on-disk /run/in-memory; ls /root/later || true')).toBe(
      '/root/on-disk\n/run/in-memory\n',
    )
  })

  it('loses in a power cut what was not synced, and only that', async () => {
    await machine.succeed('echo kept >/root/kept; sync /root/kept /root; echo lost >/root/lost')

    await machine.powerCut()
    await expect(machine.run(['true'])).rejects.toThrow(/ssh gave up/)
    await machine.bootAgain()

    expect(await machine.succeed('cat /root/kept; ls /root/lost 2>/dev/null || true')).toBe('kept\n')
    const failed = await machine.settled()
    const journal = await machine.run([
      'journalctl',
      '-b',
      '--no-pager',
      ...failed.map((unit) => `--unit=${unit}`),
      '-n',
      '30',
    ])
    expect(failed, journal.stdout).toEqual([])
  })
})

describe('machines and the processes that made them', { timeout: 10 * minutes }, () => {
  it('prepares a machine once per key', async () => {
    const key = `probe-${Date.now()}`
    let prepared = 0
    const prepare = async (machine: Machine) => {
      prepared++
      await machine.succeed('systemd-run --quiet --unit=sleeper sleep 1000; touch /root/prepared')
    }

    for (let round = 0; round < 2; round++) {
      await using machine = await warm('trixie-ready', key, prepare)
      await machine.succeed('test -e /root/prepared && systemctl is-active sleeper')
      if (round === 1) rmSync(machine.record.base, { recursive: true })
    }

    expect(prepared).toBe(1)
  })

  it('ends the machine when its process is killed', async () => {
    const program = `import { start } from ${JSON.stringify(join(import.meta.dirname, 'start.ts'))}
      const machine = await start('trixie-ready'); console.log(machine.record.pid); setInterval(() => {}, 1000)`
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const pid = Number(await new Promise((resolve) => child.stdout.once('data', (bytes) => resolve(String(bytes)))))
    expect(isRunning(pid)).toBe(true)

    child.kill('SIGKILL')

    await expect.poll(() => isRunning(pid), { timeout: 10_000 }).toBe(false)
  })
})
