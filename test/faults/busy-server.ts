/** A server with the product on it and its first administrator, who asks far more often than people do. */
import type { Machine } from '../e2e/harness/machine.ts'
import { installed } from '../e2e/installed.ts'
import { browserOf, eventually, setUp } from '../e2e/server.ts'
import type { Visitor } from '../e2e/visitor.ts'

const limits = [
  'requests_per_minute: 1000000',
  'reads_per_minute: 1000000',
  'writes_per_minute: 1000000',
  'jobs_per_minute: 1000000',
  'deletes_per_hour: 100000',
  'restores_per_hour: 100000',
  'creates_per_hour: 100000',
  'suspensions_per_hour: 100000',
  'changes_per_hour: 100000',
  'runs_per_hour: 100000',
]

/** Whoever calls stops the machine. */
export async function busyServer(): Promise<{ readonly machine: Machine; readonly panel: Visitor }> {
  const machine = await installed('trixie-ready')
  try {
    await machine.succeed('cat >>/etc/wcp360/config.yaml && systemctl reload wcpd', {
      input: limits.map((line) => `${line}\n`).join(''),
    })
    await eventually(machine, 'journalctl -u wcpd -o cat --no-pager', /configuration reloaded/)
    await eventually(machine, 'wcp status', /nginx +running/)
    const panel = await browserOf(machine)
    await setUp(machine, panel)
    return { machine, panel }
  } catch (error) {
    await machine.stop()
    throw error
  }
}
