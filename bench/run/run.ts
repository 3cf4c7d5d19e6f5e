/** `runAs` on a booted server: what it adds to systemd-run, what a long output costs the agent, and what it costs at rest. */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { build } from 'esbuild'
import { z } from 'zod'
import type { Machine } from '../../test/e2e/harness/machine.ts'
import { installed } from '../../test/e2e/installed.ts'
import { browserOf, setUp } from '../../test/e2e/server.ts'
import { type Bench, type Figure, percentile, progress } from '../bench.ts'
import { Measured, site, tenant } from './measured.ts'

const outputBytes = 100_000_000
const folder = '/root/bench'
const lookEveryMs = 500

export const run: Bench = {
  name: 'run',
  summary:
    'a tenant’s command on a booted server (QEMU): start against systemd-run, memory of the agent for 100 MB, cost at rest',
  isOnlyByName: true,
  async run() {
    const machine = await installed('trixie-ready')
    try {
      await setUp(machine, await browserOf(machine))
      return await figuresOf(machine)
    } finally {
      await machine.stop()
    }
  },
}

export async function figuresOf(machine: Machine): Promise<readonly Figure[]> {
  await machine.succeed(['wcp', 'tenant', 'create', tenant, '--domain', site])
  await machine.succeed(['wcp', 'run', site, '--', 'true']) // its slice and its accounts are there
  const atRest = await agent(machine)
  const memory = await memoryOfOutput(machine)
  const after = await agent(machine)
  const { ours, plain, resourcesBefore, resourcesAfter } = await measureStarts(machine)
  const [ourMs, plainMs] = [percentile(ours, 50), percentile(plain, 50)]
  return [
    { name: 'runAs of "true", begun, ended and recorded, median', value: ourMs, unit: 'ms', target: null },
    { name: 'systemd-run --wait true in the same sandbox, median', value: plainMs, unit: 'ms', target: null },
    { name: 'runAs against systemd-run', value: ourMs / plainMs, unit: 'ratio', target: '<= 1.5' },
    { name: 'agent before 100 MB of output, resident', value: memory.beforeMb, unit: 'MB', target: null },
    { name: 'its peak meanwhile, above that', value: memory.peakMb - memory.beforeMb, unit: 'MB', target: '<= 16' },
    { name: 'afterwards, above that', value: memory.afterMb - memory.beforeMb, unit: 'MB', target: '<= 16' },
    { name: '100 MB of output: time', value: memory.seconds, unit: 's', target: null },
    {
      name: 'descriptors of the agent that runs leave',
      value: after.files - atRest.files,
      unit: 'count',
      target: '<= 0',
    },
    {
      name: `timers, pipes and children that ${ours.length} runs leave`,
      value: resourcesAfter - resourcesBefore,
      unit: 'count',
      target: '<= 0',
    },
  ]
}

/** By its own Node, in pairs: the same hour, the same machine. */
async function measureStarts(machine: Machine): Promise<Measured> {
  progress('starts')
  const entry = join(import.meta.dirname, 'on-server.ts')
  const { outputFiles } = await build({
    ...{ entryPoints: [entry], bundle: true, platform: 'node', format: 'esm', write: false, logLevel: 'warning' },
  })
  await machine.copyIn(process.execPath, `${folder}/node`)
  for (const addon of ['koffi', `@koromix/koffi-linux-${process.arch}`])
    await machine.copyIn(join('node_modules', addon), `${folder}/node_modules/${addon}`)
  await machine.succeed(`cat >${folder}/bench.mjs`, { input: outputFiles[0]?.text ?? '' })
  const said = await machine.succeed([`${folder}/node`, `${folder}/bench.mjs`], { timeout: 900_000 })
  return Measured.parse(JSON.parse(said))
}

interface Memory {
  readonly beforeMb: number
  readonly peakMb: number
  readonly afterMb: number
  readonly seconds: number
}

const Begun = z.looseObject({ jobId: z.string() })
const Job = z.looseObject({ state: z.string() })

async function memoryOfOutput(machine: Machine): Promise<Memory> {
  progress('100 MB of output')
  await sleep(5_000)
  const before = await agent(machine)
  await machine.succeed(`echo 5 >/proc/${before.pid}/clear_refs`) // the peak is counted from here
  const words = ['wcp', 'run', '--json', site, '--', 'head', '-c', String(outputBytes), '/dev/zero']
  const { jobId } = Begun.parse(JSON.parse(await machine.succeed(words)))
  const began = performance.now()
  for (;;) {
    const ask = `curl -sS --unix-socket /run/wcp360/panel/cli.sock http://localhost/api/v1/jobs/${jobId}`
    const { state } = Job.parse(JSON.parse(await machine.succeed(ask)))
    if (state === 'succeeded') break
    if (state === 'failed') throw new Error(`the job ${jobId} has failed`)
    await sleep(lookEveryMs)
  }
  const after = await agent(machine)
  const seconds = (performance.now() - began) / 1000
  return { beforeMb: before.residentMb, peakMb: after.peakMb, afterMb: after.residentMb, seconds }
}

async function agent(machine: Machine) {
  const pid = (await machine.succeed('systemctl show -p MainPID --value wcpd')).trim()
  const number = async (script: string) => Number((await machine.succeed(script)).trim())
  const kilobytes = (key: string) => number(`awk '/^${key}:/ { print $2 }' /proc/${pid}/status`)
  return {
    pid,
    residentMb: ((await kilobytes('VmRSS')) * 1024) / 1e6,
    peakMb: ((await kilobytes('VmHWM')) * 1024) / 1e6,
    files: await number(`ls /proc/${pid}/fd | wc -l`),
  }
}
