/** A whole booted server with many sleeping tenants against the same one without: what systemd and the kernel see of them. */
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import type { Machine } from '../test/e2e/harness/machine.ts'
import { installed } from '../test/e2e/installed.ts'
import { browserOf, setUp } from '../test/e2e/server.ts'
import { type Bench, type Figure, percentile, progress } from './bench.ts'

const reloads = 5
const settleMs = 30_000
const lookEveryMs = 10_000
const minutes = 60_000

export const booted: Bench = {
  name: 'booted',
  summary: 'sleeping tenants on a booted server (QEMU): units, processes, memory, daemon-reload against an empty one',
  isOnlyByName: true,
  async run({ sites }) {
    const machine = await installed('trixie-ready')
    try {
      await setUp(machine, await browserOf(machine))
      const empty = await look(machine)
      await fillBySocket(machine, sites)
      const full = await look(machine)
      return [
        ...figures('without tenants', empty),
        ...figures(`with ${sites} sleeping tenants`, full),
        { name: `units that ${sites} tenants add`, value: full.units - empty.units, unit: 'count', target: '<= 0' },
        { name: 'processes of tenants', value: full.tenantProcesses, unit: 'count', target: '<= 0' },
        { name: 'daemon-reload against without', value: full.reloadMs / empty.reloadMs, unit: 'ratio', target: null },
        { name: 'memory in use against without', value: full.usedMb / empty.usedMb, unit: 'ratio', target: null },
      ]
    } finally {
      await machine.stop()
    }
  },
}

interface Look {
  readonly reloadMs: number
  /** Of the whole machine, without caches. */
  readonly usedMb: number
  readonly systemdMb: number
  readonly units: number
  readonly tenantProcesses: number
}

function figures(when: string, { reloadMs, usedMb, systemdMb }: Look): readonly Figure[] {
  return [
    { name: `${when}: systemctl daemon-reload, median`, value: reloadMs, unit: 'ms', target: null },
    { name: `${when}: memory in use`, value: usedMb, unit: 'MB', target: null },
    { name: `${when}: memory of systemd, resident`, value: systemdMb, unit: 'MB', target: null },
  ]
}

async function look(machine: Machine): Promise<Look> {
  await sleep(settleMs)
  const number = async (script: string) => Number((await machine.succeed(script)).trim())
  const times: number[] = []
  for (let round = 0; round < reloads; round++) {
    times.push((await number('s=$(date +%s%N); systemctl daemon-reload; e=$(date +%s%N); echo $((e-s))')) / 1e6)
  }
  const kilobytes = await number(
    `sync; echo 3 > /proc/sys/vm/drop_caches; awk '/^MemTotal/{t=$2} /^MemAvailable/{a=$2} END{print t-a}' /proc/meminfo`,
  )
  return {
    reloadMs: percentile(times, 50),
    usedMb: (kilobytes * 1024) / 1e6,
    systemdMb: ((await number(`awk '/^VmRSS/{print $2}' /proc/1/status`)) * 1024) / 1e6,
    units: await number('systemctl list-units --all --no-legend | wc -l'),
    tenantProcesses: await number(`ps -eo uid= | awk '$1 >= 20000 && $1 <= 59999' | wc -l`),
  }
}

const socket = '/run/wcp360/panel/cli.sock'
const Page = z.object({ items: z.array(z.unknown()) })

/** By curl on the server: starting `wcp` for each would measure the emulation of that. */
async function fillBySocket(machine: Machine, sites: number): Promise<void> {
  const body = '{"name":"site@","domain":"site@.example.com"}'
  const request = `curl -sS -o /dev/null -w '%{http_code}\\n' --unix-socket ${socket} -H 'content-type: application/json'`
  const said = machine.succeed(
    `seq 100000 ${99_999 + sites} | xargs -P 2 -I@ ${request} -d '${body}' http://localhost/api/v1/tenants | sort | uniq -c`,
    { timeout: 240 * minutes },
  )
  said.catch(() => {}) // awaited below
  const asked = said.then((text) => {
    if (text.trim().split(/\s+/).join(' ') !== `${sites} 202`) throw new Error(`not every tenant was accepted: ${text}`)
    return true
  })
  while (!(await Promise.race([asked, sleep(lookEveryMs, false)])) || (await hasJobs(machine))) {
    progress(`${(await machine.succeed('ls /var/lib/wcp360-web/hosts | wc -l')).trim()} of ${sites} sites`)
    await sleep(lookEveryMs)
  }
}

async function hasJobs(machine: Machine): Promise<boolean> {
  for (const state of ['queued', 'running']) {
    const text = await machine.succeed(
      `curl -sS --unix-socket ${socket} 'http://localhost/api/v1/jobs?state=${state}&limit=1'`,
    )
    if (Page.parse(JSON.parse(text)).items.length > 0) return true
  }
  return false
}
