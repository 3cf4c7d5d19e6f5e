/** Attacks on the one way in which root starts something for a tenant, and what it must stand without harm. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { processes } from '../../src/agent/os/processes.ts'
import type { TenantRun } from '../../src/agent/os/run-as/tenant-run.ts'
import { TenantName } from '../../src/contract/values.ts'
import { exchange, keepRunningAs } from '../security/as-tenant.ts'
import { php, RunMachine, type Tenant } from './run-machine.ts'

let machine: RunMachine
let acme: Tenant
let other: Tenant

beforeAll(async () => {
  machine = await RunMachine.open()
  acme = machine.tenant('acme', 21_003)
  other = machine.tenant('other', 21_004)
})
afterAll(() => machine?.remove())

/** Living ones: a machine that is busy also shows the dead (proc(5), state X). */
const processesOf = ({ uid }: Tenant) =>
  processes().filter(({ pid, state }) => !'ZX'.includes(state) && new RegExp(`^Uid:\t${uid}\t`, 'm').test(status(pid)))

function status(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8')
  } catch {
    return ''
  }
}

/** Runs it, and does something while it runs. */
async function meanwhile(run: TenantRun, work: () => Promise<unknown>) {
  const ended = machine.services.runAs(run)
  while (!(await machine.output(run).catch(() => Buffer.alloc(0))).includes('begun')) await sleep(10)
  await work()
  return ended
}

describe('a command of a tenant', () => {
  it('is the tenant, without groups, capabilities and a way to them', async () => {
    expect(await machine.said(acme, 'id')).toBe('uid=21003(acme) gid=21003(acme) groups=21003(acme)\n')
    const power = await machine.said(acme, 'grep', '-E', '^(CapEff|CapBnd|NoNewPrivs|Groups):', '/proc/self/status')
    expect(power.replaceAll(/\s+/g, ' ').trim()).toBe(
      'Groups: CapEff: 0000000000000000 CapBnd: 0000000000000000 NoNewPrivs: 1',
    )
  })

  it('sees its own tree, users and processes alone', async () => {
    const { customers, agentState, runsRun } = machine.places
    expect(await machine.said(acme, 'ls', customers.root)).toBe('acme\n')
    expect(await machine.said(acme, 'cut', '-d:', '-f1', '/etc/passwd')).toBe('root\nacme\n')
    const users = await machine.said(acme, 'sh', '-c', "grep -h '^Uid:' /proc/[0-9]*/status | cut -f2 | sort -u")
    expect(users.trim().split('\n')).toEqual(['0', String(acme.uid)]) // root: bubblewrap, the first of the namespace
    const ofRoot = ['environ', 'root/etc/shadow', 'cwd', 'fd/3', 'mem'].map((file) => `/proc/1/${file}`)
    for (const path of [agentState, runsRun, customers.home(other.name), '/root', ...ofRoot, '/dev/tty'])
      expect(await machine.said(acme, 'cat', path), path).toMatch(/cannot|No such|denied|Is a directory$/)
    for (const path of ['/', '/usr', customers.tenant(acme.name), '/etc'])
      expect(await machine.said(acme, 'touch', `${path}/evil`), path).toMatch(/denied|Read-only/)
  })

  it('has the environment that is written here, and three descriptors', async () => {
    process.env.WCP_SECRET = 'of the agent'
    const env = (await machine.said(acme, 'env')).trim().split('\n')
    delete process.env.WCP_SECRET
    expect(env.map((line) => line.split('=')[0])).toEqual(['PATH', 'HOME', 'USER', 'LOGNAME', 'LANG'])
    expect(await machine.said(acme, 'sh', '-c', 'ls /proc/$$/fd')).toBe('0\n1\n2\n')
    expect(await machine.said(acme, 'cat')).toBe('') // nothing is typed to it
    expect(await machine.said(acme, 'sh', '-c', 'echo to >/dev/stdout; echo from >/dev/stderr')).toBe('to\nfrom\n')
  })

  it('reads no file that only a shell would: none is started but the one that it names', async () => {
    const { customers } = machine.places
    const home = customers.home(acme.name)
    for (const name of ['.profile', '.bashrc', '.bash_profile', '.env', '.pam_environment'])
      writeFileSync(join(home, name), `touch ${home}/was-read\n`, { mode: 0o755 })
    const names = await machine.said(
      acme,
      'printf',
      '%s|',
      '$HOME',
      '%i %s',
      '; id',
      "'",
      '"',
      '\\',
      ' a  b ',
      '--help',
      '',
    )
    expect(names).toBe(`$HOME|%i %s|; id|'|"|\\| a  b |--help||`)
    expect(await machine.said(acme, '--help')).toMatch(/No such file/)
    expect(existsSync(join(home, 'was-read'))).toBe(false)
  })

  it.skipIf(php === null)('has the PHP of its site', async () => {
    expect(await machine.said(acme, 'php', '-v')).toMatch(new RegExp(`^PHP ${php?.replace('.', '\\.')}\\.`))
    expect(await machine.said(acme, 'sh', '-c', 'command -v php')).toBe(`${machine.places.web.php(php ?? '')}/php\n`)
  })

  it('cannot be led outside by directories that change places with links', async () => {
    const outside = join(machine.root, 'outside')
    mkdirSync(outside)
    writeFileSync(join(outside, 'secret'), 'not the tenant’s', { mode: 0o644 })
    const home = machine.places.customers.home(acme.name)
    await machine.said(acme, 'mkdir', 'swap-a')
    await machine.said(acme, 'ln', '-s', outside, 'swap-b')
    const race = `${exchange} echo "begun\n"; for (;;) exchange('swap-a', 'swap-b');`
    const racer = await keepRunningAs(acme, race, home)
    try {
      for (let round = 0; round < 12; round++) {
        const run = { ...machine.run(acme, ['sh', '-c', 'pwd -P; cat secret']), directory: join(home, 'swap-a') }
        await machine.services.runAs(run)
        expect((await machine.output(run)).toString()).not.toContain('not the tenant’s')
      }
    } finally {
      await racer.end()
    }
    expect(readdirSync(outside)).toEqual(['secret'])
  })

  it('cannot put anything of its own in the place of what root mounts for it', async () => {
    const { customers } = machine.places
    const own = customers.tenant(acme.name)
    await machine.said(acme, 'ln', '-sfn', '/etc', 'evil')
    const pairs = ['tmp', 'home', 'sites'].map((name) => `['${own}/${name}', '${customers.home(acme.name)}/evil']`)
    const swap = `foreach ([${pairs}, ['${own}/tmp', '${own}/home']] as [$a, $b]) if (exchange($a, $b) === 0) die('swapped');`
    const racer = await keepRunningAs(acme, `${exchange} echo "begun\n"; for (;;) { ${swap} }`, '/')
    try {
      for (let round = 0; round < 4; round++) {
        const inside = await machine.said(
          acme,
          'stat',
          '--format=%n %u %F',
          '/tmp',
          '/var/tmp',
          own,
          customers.home(acme.name),
        )
        const ofTenant = `${acme.uid} directory`
        expect(inside).toBe(
          `/tmp ${ofTenant}\n/var/tmp ${ofTenant}\n${own} 0 directory\n${customers.home(acme.name)} ${ofTenant}\n`,
        )
      }
      expect(racer.hasEnded()).toBe(false)
    } finally {
      await racer.end()
    }
  })

  it('cannot end what watches it, and its end is told as it was', async () => {
    const all = 'kill -KILL 1; kill -KILL -1; kill -STOP 1; echo begun; kill -KILL $$'
    const run = machine.run(acme, ['sh', '-c', all])
    expect(await machine.services.runAs(run)).toEqual({ kind: 'exited', code: 137 }) // bubblewrap's word for a signal
    expect(processesOf(acme)).toEqual([])
    expect(await machine.said(acme, 'echo', 'fine')).toBe('fine\n')
  })

  it('cannot keep the agent waiting, or writing, with its pipe', async () => {
    const { runsRun } = machine.places
    const run = machine.run(acme, ['sh', '-c', 'echo begun; sleep 1; exit 6'])
    const holders: ChildProcess[] = []
    try {
      // Handed over to another process of the tenant's, as its PHP, which does not end with the run.
      const end = await meanwhile(run, async () => {
        const pipe = openSync(join(runsRun, readdirSync(runsRun).find((name) => name.endsWith('.out')) ?? ''), 'r+')
        holders.push(spawn('/usr/bin/yes', { uid: acme.uid, gid: acme.uid, stdio: ['ignore', pipe, 'ignore'] }))
        closeSync(pipe)
      })
      expect(end).toEqual({ kind: 'exited', code: 6 })
      expect(holders.map(({ exitCode, signalCode }) => exitCode ?? signalCode)).toEqual([null])
      const { length } = await machine.output(run)
      await sleep(200)
      expect((await machine.output(run)).length).toBe(length)
      expect(readdirSync(runsRun)).toEqual([])
    } finally {
      for (const holder of holders) holder.kill('SIGKILL')
    }
  }, 30_000)

  it('prints ten megabytes as they are, and of more the newest are kept', async () => {
    const run = machine.run(acme, ['seq', '1', '1400000'])
    expect(await machine.services.runAs(run)).toEqual({ kind: 'exited', code: 0 })
    const wanted = `${Array.from({ length: 1_400_000 }, (_, index) => index + 1).join('\n')}\n`
    const output = await machine.output(run)
    expect(output.length).toBeGreaterThan(10_000_000)
    expect(createHash('sha256').update(output).digest('hex')).toBe(createHash('sha256').update(wanted).digest('hex'))

    const long = machine.run(acme, ['sh', '-c', 'head -c 60000000 /dev/zero; echo end'])
    await machine.services.runAs(long)
    const kept = readdirSync(machine.places.tenantRun(acme.name, long.id)).filter((name) => name.startsWith('output'))
    expect(kept).toHaveLength(2)
    expect((await machine.output(long)).subarray(-4).toString()).toBe('end\n')
  }, 60_000)

  it('has no more processes than it may, and a machine that goes on', async () => {
    const bomb = 'bomb() { bomb | bomb & }; bomb; sleep 1; echo begun; sleep 60'
    const run = machine.run(acme, ['bash', '-c', bomb], { pids: 40 })
    let most = 0
    await meanwhile(run, async () => {
      most = processesOf(acme).length
      expect(await machine.said(other, 'echo', 'fine')).toBe('fine\n')
      await machine.services.stopRun(run)
    })
    expect(most).toBeGreaterThan(1)
    expect(most).toBeLessThanOrEqual(41)
    expect(processesOf(acme)).toEqual([])
  }, 60_000)

  it('ends when it is told to, also one that does not listen, with whatever has left its session', async () => {
    const deaf = 'trap "" TERM; setsid sleep 600 & echo begun; while :; do sleep 600; done'
    const run = machine.run(acme, ['sh', '-c', deaf])
    const end = await meanwhile(run, () => machine.services.stopRun(run))
    expect(end).toEqual({ kind: 'stopped' })
    expect(processesOf(acme)).toEqual([])
  }, 30_000)

  it('ends when its time is over, and leaves nothing behind when it ends by itself', async () => {
    expect(await machine.services.runAs(machine.run(acme, ['sleep', '600'], { seconds: 1 }))).toEqual({
      kind: 'timeout',
    })
    const leaving = machine.run(acme, ['sh', '-c', 'setsid sleep 600 & exit 3'])
    expect(await machine.services.runAs(leaving)).toEqual({ kind: 'exited', code: 3 })
    expect(processesOf(acme)).toEqual([])
  })

  it('does not begin for a tenant that is suspended, and ends with a suspension', async () => {
    const { live } = machine.places.web
    const run = machine.run(acme, ['sh', '-c', 'echo begun; sleep 600'])
    const end = await meanwhile(run, async () => {
      renameSync(live(acme.name), `${live(acme.name)}.off`)
      expect(await machine.services.runsAnything(acme.name)).toBe(true)
      await machine.services.stopTenant(acme.name)
      expect(await machine.services.runsAnything(acme.name)).toBe(false)
    })
    expect(end.kind).not.toBe('exited')
    const late = machine.run(acme, ['sleep', '600'])
    expect((await machine.services.runAs(late)).kind).not.toBe('exited')
    renameSync(`${live(acme.name)}.off`, live(acme.name))
    expect(processesOf(acme)).toEqual([])
  })

  it('cannot pass for the sandbox of another', async () => {
    const own = machine.places.customers.tenant(TenantName.parse('other'))
    const posing = 'cp /usr/bin/sleep bwrap; echo begun; exec ./bwrap --bind 600'
    const run = machine.run(acme, ['bash', '-c', `${posing.replace('600', `600 -- ${own} ${own}`)}`])
    const named = machine.run(acme, [
      'bash',
      '-c',
      `cp /usr/bin/tail bwrap; echo begun; ./bwrap -f --bind ${own} -- x; ./bwrap -f /dev/null`,
    ])
    for (const one of [run, named])
      await meanwhile(one, async () => {
        await sleep(100)
        expect(await machine.services.runsAnything(other.name)).toBe(false)
        await machine.services.stopRun(one)
      })
  }, 30_000)
})

describe('after another start of the agent', () => {
  it('a run is found again by its name, with all that it prints', async () => {
    const run = machine.run(acme, ['sh', '-c', 'echo begun; sleep 1; seq 1 50000; exit 4'])
    await expect(meanwhile(run, () => machine.restart())).rejects.toThrow('the agent is stopping')

    expect(await machine.services.runAs(run)).toEqual({ kind: 'exited', code: 4 })
    const said = (await machine.output(run)).toString()
    expect(said.startsWith('begun\n1\n')).toBe(true)
    expect(said.endsWith('\n50000\n')).toBe(true)
  })

  it('one that ended meanwhile has the end that it had', async () => {
    const run = machine.run(acme, ['sh', '-c', 'echo begun; sleep 0.3; exit 5'])
    await expect(meanwhile(run, () => machine.services.leaveRuns())).rejects.toThrow()
    while (processesOf(acme).length > 0) await sleep(20)
    await machine.restart()

    expect(await machine.services.runAs(run)).toEqual({ kind: 'exited', code: 5 })
  })

  it('nothing is run twice: what was begun and cannot be found is told as lost', async () => {
    const run = machine.run(acme, ['sh', '-c', 'echo begun >>ran; sleep 600'])
    mkdirSync(machine.places.tenantRun(acme.name, run.id), { recursive: true }) // a crash right after it
    expect(await machine.services.runAs(run)).toEqual({ kind: 'lost' })
    expect(await machine.services.runAs(run)).toEqual({ kind: 'lost' })
    expect(await machine.services.runEnd(acme.name, run.id)).toEqual({ kind: 'lost' })
    expect(existsSync(join(machine.places.customers.home(acme.name), 'ran'))).toBe(false)
  })

  it('the first command has what all tenants keep above 2 GiB removed, oldest first', async () => {
    const runs = machine.places.tenantRuns(TenantName.parse('third'))
    for (let nth = 1; nth <= 130; nth++) {
      const old = join(runs, String(nth))
      mkdirSync(old, { recursive: true })
      writeFileSync(join(old, 'output'), '')
      truncateSync(join(old, 'output'), 2 ** 24)
      writeFileSync(join(old, 'end'), '{}')
      utimesSync(join(old, 'end'), nth, nth)
    }
    await machine.restart()
    await machine.said(other, 'true')
    const left = readdirSync(runs)
    expect(left.length).toBeLessThanOrEqual(128)
    expect(left).toContain('130')
    expect(left).not.toContain('1')
  })

  it('only so many runs of a tenant are kept, the newest', async () => {
    const runs = machine.places.tenantRuns(other.name)
    for (let nth = 0; nth < 60; nth++) {
      const old = join(runs, crypto.randomUUID())
      mkdirSync(old, { recursive: true })
      writeFileSync(join(old, 'end'), '{}')
    }
    await machine.said(other, 'true')
    expect(readdirSync(runs).length).toBeLessThanOrEqual(51)
  })
})
