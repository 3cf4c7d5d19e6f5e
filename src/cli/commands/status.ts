/** `wcp status`: how the machine and its services are, on one screen. */
import { HealthSnapshot } from '../../contract/wire.ts'
import { apiRoot } from '../../lib/http-call.ts'
import { type Output, paint, plain, printJson } from '../../lib/print.ts'
import type { CallPanel } from '../client.ts'
import type { LocalCommand } from '../program.ts'

const GiB = 1024 ** 3

export function status(call: CallPanel, output: Output): LocalCommand {
  return {
    words: 'status',
    summary: 'Show services, load, memory, disk and pressure',
    options: [['--json', 'print the figures as JSON']],
    async run(_args, options) {
      const { body } = await call({ method: 'GET', target: `${apiRoot}/health` })
      const health = HealthSnapshot.parse(body)
      if (options.json === true) printJson(output, health)
      else print(output, health)
      return health.services.every(({ state }) => state === 'running') ? 0 : 1
    },
  }
}

function print(output: Output, health: HealthSnapshot): void {
  const line = (label: string, text: string) => output.out(`${paint(output, 'dim', label.padEnd(10))} ${text}\n`)
  line('host', `${plain(health.hostname)}, up ${duration(health.uptimeSeconds)}`)
  line('load', `${health.load.map((value) => value.toFixed(2)).join(' ')} on ${health.cpus} CPUs`)
  line('memory', usage(health.memory.total - health.memory.available, health.memory.total))
  for (const disk of health.disks) line('disk', `${plain(disk.mount)}: ${usage(disk.total - disk.free, disk.total)}`)
  if (health.pressure !== null) {
    const { cpu, memorySome, ioSome } = health.pressure
    line('pressure', `cpu ${cpu} %, memory ${memorySome} %, io ${ioSome} %`)
  }
  for (const service of health.services) {
    const word = paint(output, service.state === 'running' ? 'green' : 'red', service.state)
    line(plain(service.name), `${word}${service.detail === null ? '' : ` (${plain(service.detail)})`}`)
  }
  for (const { kind, used, limit, approved, waiting } of health.brakes) {
    const more = approved > 0 ? `, ${approved} more approved` : ''
    const held = waiting > 0 ? paint(output, 'red', `, ${waiting} wait for "wcp approve ${kind}"`) : ''
    line(kind, `${used} of ${limit} within an hour${more}${held}`)
  }
  for (const sentence of health.missing) line('missing', plain(sentence))
}

function usage(used: number, total: number): string {
  const percent = total === 0 ? 0 : Math.round((100 * used) / total)
  return `${(used / GiB).toFixed(1)} of ${(total / GiB).toFixed(1)} GiB (${percent} %)`
}

function duration(seconds: number): string {
  const days = Math.floor(seconds / 86_400)
  const hours = Math.floor((seconds % 86_400) / 3600)
  const minutes = Math.floor((seconds % 3600) / 60)
  return days > 0 ? `${days} d ${hours} h` : `${hours} h ${minutes} min`
}
