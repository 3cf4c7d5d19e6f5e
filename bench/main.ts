/** `npm run bench [-- --json] [name …]`: measures, prints a table or one JSON object a line, and fails when a target is missed. */
import { parseArgs } from 'node:util'
import { type Bench, type Figure, isMet } from './bench.ts'
import { memory } from './memory.ts'
import { panel } from './panel.ts'
import { site } from './site.ts'
import { version } from './version.ts'

const benches: readonly Bench[] = [version, panel, memory, site]

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
})

async function main(): Promise<number> {
  const unknown = positionals.find((name) => !benches.some((bench) => bench.name === name))
  if (values.help || unknown !== undefined) {
    if (unknown !== undefined) console.error(`no bench "${unknown}"`)
    for (const { name, summary } of benches) console.error(`${name.padEnd(12)} ${summary}`)
    return unknown === undefined ? 0 : 2
  }
  const chosen = positionals.length === 0 ? benches : benches.filter(({ name }) => positionals.includes(name))
  let missed = 0
  for (const bench of chosen) {
    for (const figure of await bench.run()) {
      if (!isMet(figure)) missed++
      print(figure)
    }
  }
  return missed === 0 ? 0 : 1
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
