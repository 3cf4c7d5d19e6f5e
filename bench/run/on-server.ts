/** On the server itself, as root: `runAs` and a bare systemd-run in turn. */
import { execFileSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { exec } from '../../src/agent/os/exec.ts'
import { layout } from '../../src/agent/os/layout.ts'
import { RunAs } from '../../src/agent/os/run-as/run-as.ts'
import { SystemdRuns, startRunArgv } from '../../src/agent/os/run-as/systemd-runs.ts'
import type { TenantRun } from '../../src/agent/os/run-as/tenant-run.ts'
import { TenantCommand } from '../../src/contract/tenant-command.ts'
import { Fqdn, Id, TenantName } from '../../src/contract/values.ts'
import { timed } from '../bench.ts'
import { type Measured, site, tenant } from './measured.ts'

const rounds = 15
const places = layout('/')
const name = TenantName.parse(tenant)
const uid = Number(execFileSync('/usr/bin/id', ['-u', tenant], { encoding: 'utf8' }))
// The tenant has its slice and its accounts already, as with every run of an agent but the first.
const runs = new RunAs(places, new SystemdRuns(places, { prepare: async () => {}, isFiltered: () => true }))

function ofTrue(): TenantRun {
  return {
    ...{ id: Id.parse(crypto.randomUUID()), name, uid, gid: uid, php: null },
    command: TenantCommand.parse(['/usr/bin/true']),
    directory: places.customers.docroot(name, Fqdn.parse(site)),
    limits: { seconds: 60, memMb: 512, pids: 64 },
    sliceLimits: { cpuPct: null, memMb: null, pids: null, ioMbps: null, diskMb: null },
  }
}

async function plainly(): Promise<void> {
  const words = startRunArgv(places, ofTrue(), true)
  const own = words.slice(0, words.indexOf('--')).filter((word) => !/^--(?:pipe|property=ExecStopPost)/.test(word))
  const { code, stderr } = await exec('/usr/bin/systemd-run', [...own, '--', '/usr/bin/true'])
  if (code !== 0) throw new Error(`systemd-run ended with ${code}: ${stderr}`)
}

async function ours(): Promise<void> {
  const end = await runs.run(ofTrue())
  if (end.kind !== 'exited' || end.code !== 0) throw new Error(`runAs ended with ${JSON.stringify(end)}`)
}

const resources = () => process.getActiveResourcesInfo().length

await ours()
await plainly()
await sleep(1_000)
const resourcesBefore = resources()
const times: { ours: number[]; plain: number[] } = { ours: [], plain: [] }
for (let round = 0; round < rounds; round++) {
  times.ours.push(await timed(ours))
  times.plain.push(await timed(plainly))
}
await sleep(1_000)
console.log(JSON.stringify({ ...times, resourcesBefore, resourcesAfter: resources() } satisfies Measured))
