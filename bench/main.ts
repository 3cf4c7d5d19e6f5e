/** `npm run bench [-- --json] [--sites <n>] [name …]`: measures, prints a table or one JSON object a line, and fails when a target is missed. */
import { spawnSync } from 'node:child_process'
import { cpus, loadavg, release } from 'node:os'
import { parseArgs } from 'node:util'
import { type Bench, type Figure, isMet } from './bench.ts'
import { booted } from './booted.ts'
import { bulk } from './bulk.ts'
import { cron } from './cron.ts'
import { flood } from './flood/flood.ts'
import { kinds } from './kinds.ts'
import { login } from './login.ts'
import { memory } from './memory.ts'
import { missing } from './needs.ts'
import { panel } from './panel.ts'
import { probes } from './probes.ts'
import { reads } from './reads.ts'
import { run } from './run/run.ts'
import { scale } from './scale.ts'
import { site } from './site.ts'
import { store, storePostgres } from './store.ts'
import { throughput } from './throughput.ts'
import { version } from './version.ts'

const benches: readonly Bench[] = [
  version,
  panel,
  memory,
  kinds,
  site,
  login,
  reads,
  throughput,
  bulk,
  cron,
  probes,
  flood,
  scale,
  booted,
  run,
  store,
  storePostgres,
]

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    sites: { type: 'string', default: '10000' },
    help: { type: 'boolean', default: false },
  },
})

async function main(): Promise<number> {
  const unknown = positionals.find((name) => !benches.some((bench) => bench.name === name))
  if (values.help || unknown !== undefined) {
    if (unknown !== undefined) console.error(`no bench "${unknown}"`)
    for (const { name, summary } of benches) console.error(`${name.padEnd(12)} ${summary}`)
    return unknown === undefined ? 0 : 2
  }
  const sites = Number(values.sites)
  if (!Number.isInteger(sites) || sites < 10) {
    console.error('--sites is a whole number from 10')
    return 2
  }
  const chosen =
    positionals.length === 0
      ? benches.filter(({ isOnlyByName }) => !isOnlyByName)
      : benches.filter(({ name }) => positionals.includes(name))
  const lacking = missing(chosen)
  for (const sentence of lacking) console.error(sentence)
  if (lacking.length > 0) return 2
  tellMachine()
  let missed = 0
  for (const bench of chosen) {
    for (const figure of await bench.run({ sites })) {
      if (!isMet(figure)) missed++
      print(figure)
    }
  }
  return missed === 0 ? 0 : 1
}

/** Beside the figures, which mean nothing without it. */
function tellMachine(): void {
  const version = (file: string, flag: string) => {
    const { stdout, stderr } = spawnSync(file, [flag], { encoding: 'utf8' })
    return `${stdout}${stderr}`.split('\n')[0]
  }
  const facts = [
    `${cpus().length} × ${cpus()[0]?.model}, load ${loadavg()
      .map((load) => load.toFixed(1))
      .join(' ')}`,
    `Linux ${release()}, Node ${process.version}`,
    version('/usr/sbin/nginx', '-v'),
    version('/usr/sbin/php-fpm8.2', '-v'),
  ]
  for (const fact of facts) console.error(`  ${fact}`)
}

function print(figure: Figure): void {
  const { name, value, unit, target } = figure
  const rounded = Number(value.toPrecision(4))
  if (values.json) console.log(JSON.stringify({ name, value: rounded, unit, target, ok: isMet(figure) }))
  else
    console.log(
      `${isMet(figure) ? 'ok    ' : 'MISSED'} ${name.padEnd(60)} ${String(rounded).padStart(9)} ${unit} ${target ?? ''}`,
    )
}

process.exitCode = await main()
