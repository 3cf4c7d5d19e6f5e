import { WcpError } from '../../contract/errors.ts'
import type { Machine } from '../os/machine.ts'
import { outputText } from '../os/run-as/output-text.ts'
import type { RunEnd, TenantRun } from '../os/run-as/tenant-run.ts'
import { type Step, step } from './step.ts'

/** A command that is not a person's own: what it brings about, and what its failure means. */
export interface Purpose {
  readonly name: string
  /** Goes before what the command said last. */
  readonly failed: string
  readonly help: string
}

/** A tenant's command has run to its end, and that was a good one. What it did is the tenant's own and is not undone. */
export function endedRun(run: TenantRun, purpose?: Purpose): Step {
  return step<null>({
    name: purpose?.name ?? `command of ${run.name} has ended`,
    async check({ services }) {
      const end = await services.runEnd(run.name, run.id)
      return end !== undefined && isGood(end) ? undefined : { action: 'run', diff: run.command.map(quoted).join(' ') }
    },
    capture: async () => null,
    async apply({ services }) {
      const end = await services.runAs(run)
      if (isGood(end)) return
      const details = end.kind === 'exited' ? { exit: end.code } : {}
      if (purpose === undefined) throw new WcpError('machine_failed', message(end, run), { help: help(end), details })
      const said = end.kind === 'exited' ? await lastWords(services, run) : message(end, run)
      throw new WcpError('machine_failed', `${purpose.failed}: ${said}`, { help: purpose.help, details })
    },
    undo: ({ services }) => services.stopRun(run),
  })
}

/** The last line that it printed. */
async function lastWords(services: Machine['services'], { name, id }: TenantRun): Promise<string> {
  let text = ''
  for (let after = 0; ; ) {
    const page = outputText(await services.runOutput(name, id, after, mostRead))
    if (page.text === '') break
    text = `${text}${page.text}`.slice(-mostRead)
    after = page.next
  }
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  return lines.at(-1)?.trim().slice(0, 300) ?? 'it said nothing'
}

const mostRead = 64 * 1024

function isGood(end: RunEnd): boolean {
  return end.kind === 'exited' && end.code === 0
}

function message(end: RunEnd, run: TenantRun): string {
  switch (end.kind) {
    case 'exited':
      return `The command ended with exit code ${end.code}`
    case 'killed':
      return `The command was ended by the signal ${end.signal}`
    case 'timeout':
      return `The command was ended: it ran for longer than ${run.limits.seconds} seconds`
    case 'memory':
      return 'The command was ended: it took more memory than it may'
    case 'stopped':
      return 'The command was cancelled'
    case 'lost':
      return 'The command was interrupted: the root side or the machine was restarted, and how it ended was not seen'
    case 'unstarted':
      return 'The command could not be started'
  }
}

function help(end: RunEnd): string {
  return end.kind === 'lost'
    ? 'Look at what it has done, then run it again if that is wanted; it is never repeated by itself.'
    : 'Its output tells more.'
}

/** As one would type it. */
function quoted(word: string): string {
  return /^[\w./:@%+,=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
