/** `wcp doctor`: what is not as it must be, and how to mend it. */
import type { Layout } from '../../agent/os/layout.ts'
import { type Output, paint, plain, printJson } from '../../lib/print.ts'
import type { CallPanel } from '../client.ts'
import { type Finding, runChecks } from '../doctor/check.ts'
import { installChecks } from '../doctor/install-checks.ts'
import { machineChecks } from '../doctor/machine-checks.ts'
import type { LocalCommand } from '../program.ts'

const signs = { ok: ['ok', 'green'], warning: ['warn', 'yellow'], problem: ['FAIL', 'red'] } as const

export function doctor(places: Layout, call: CallPanel, output: Output): LocalCommand {
  return {
    words: 'doctor',
    summary: 'Check kernel, limits, ports, permissions and services, each with its remedy',
    options: [['--json', 'print the findings as JSON']],
    async run(_args, options) {
      const findings = await runChecks([...machineChecks, ...installChecks(places, call)])
      if (options.json === true) printJson(output, findings)
      else for (const finding of findings) print(output, finding)
      return findings.some(({ state }) => state === 'problem') ? 1 : 0
    },
  }
}

function print(output: Output, finding: Finding & { readonly name: string }): void {
  const [word, style] = signs[finding.state]
  output.out(`${paint(output, style, word.padEnd(5))} ${finding.name.padEnd(18)} ${plain(finding.detail)}\n`)
  if (finding.state !== 'ok') output.out(`${' '.repeat(25)}${paint(output, 'dim', plain(finding.remedy))}\n`)
}
