/**
 * One command line that names an operation: parsed, completed from the terminal, sent, and its answer printed. What only
 * some of them need is loaded by those.
 */

import type { Readable, Writable } from 'node:stream'
import { z } from 'zod'
import { WcpError } from '../contract/errors.ts'
import { type Command, commandSpec, type ParsedCommand, parseCommandLine } from '../lib/command-spec.ts'
import { httpCall } from '../lib/http-call.ts'
import { totalText } from '../lib/list-total.ts'
import { type Output, paint, printJson, printRecord, printTable, type Row } from '../lib/print.ts'
import { shownOnce } from '../lib/shown-once.ts'
import { type Ask, demand } from './ask.ts'
import type { Answer, CallPanel } from './client.ts'
import { followed, logOperation } from './followed.ts'
import { patiently } from './patience.ts'
import type { Patience } from './steady-call.ts'

export interface Terminal {
  readonly output: Output
  readonly ask: Ask
  readonly call: CallPanel
  readonly patience?: Patience
  /** How `wcp` is called for this panel: with `--server` for one on another machine. */
  readonly self: string
  /** Said when somebody presses Ctrl-C from now on. */
  readonly onInterrupt: (hint: string) => void
  /** Where bytes go that are no text; null: a person reads there. */
  readonly bytes?: Writable | null
  /** Where they come from; null: a person types there. */
  readonly given?: Readable | null
}

/** Whatever an operation answers that `wcp` prints in a way of its own. */
const Answered = {
  list: z.looseObject({
    items: z.array(z.record(z.string(), z.unknown())),
    nextCursor: z.string().nullable(),
    total: z.int().optional(),
  }),
  /** `domain`: the first site that came with a new tenant has a job of its own. */
  job: z.looseObject({
    jobId: z.string(),
    domain: z.looseObject({ jobId: z.string() }).nullable().optional(),
  }),
}

/** @returns the exit code: 0, or that of the failed job. */
export async function runWords(
  typed: readonly string[],
  operations: readonly Command[],
  terminal: Terminal,
): Promise<number> {
  const { words, isFollowed } = followed(typed)
  const command = parseCommandLine(words, operations)
  refuseTypedSecrets(command)
  const input = { ...command.input, ...(await askSecrets(command, terminal.ask)) }
  if (!command.flags.plan) await confirm(command, terminal.ask)
  if (isFollowed) {
    const { followLog } = await import('./print-log.ts')
    return await followLog(command.operation, input, terminal)
  }

  const { body, isRepeated } = await send(command, input, terminal)
  if (isRepeated) terminal.output.err('This was asked for before; here is what came of it.\n')

  if (command.operation.bytes === 'answer') return 0
  if (command.flags.json) {
    printJson(terminal.output, body)
    return 0
  }
  return await printAnswer(command, body, terminal)
}

async function send({ operation, flags }: ParsedCommand, input: Row, terminal: Terminal): Promise<Answer> {
  const call = httpCall(operation, input, flags.plan)
  if (operation.bytes === 'answer') {
    const { toStandardOutput } = await import('./bytes-out.ts')
    return await terminal.call({ ...call, sink: toStandardOutput(terminal.bytes) })
  }
  if (operation.bytes === 'body' && !flags.plan) {
    const { fromStandardInput } = await import('./bytes-in.ts')
    return await terminal.call({ ...call, source: fromStandardInput(terminal.given) })
  }
  if (operation.effect === 'read' || flags.plan)
    return await patiently(terminal.output, operation.name, terminal.call(call))
  const again = 'It may have arrived: the same command, given again within an hour, answers with its job.'
  if (operation.effect === 'machine') terminal.onInterrupt(again)
  const { steadyCall, withKey } = await import('./steady-call.ts')
  return await steadyCall(terminal, false)(withKey(call))
}

async function printAnswer({ operation, flags }: ParsedCommand, body: unknown, terminal: Terminal): Promise<number> {
  const { output } = terminal
  if (flags.plan) {
    const { printPlan } = await import('./print-plan.ts')
    printPlan(output, body)
    return 0
  }
  if (operation.document !== undefined) {
    printDocument(output, operation.document, body)
    return 0
  }
  if (operation.name === logOperation) {
    const { printLog } = await import('./print-log.ts')
    printLog(output, body)
    return 0
  }
  const list = Answered.list.safeParse(body)
  if (list.success) {
    printList(output, operation, list.data)
    return 0
  }
  const job = operation.effect === 'machine' ? Answered.job.safeParse(body) : undefined
  if (job?.success) {
    if (operation.answersOnce) printRecord(output, Object.fromEntries(shownOnce(body)))
    const jobs = [job.data.jobId, ...(job.data.domain ? [job.data.domain.jobId] : [])]
    const { watchJobs } = await import('./watch-job.ts')
    return await watchJobs(jobs, terminal)
  }
  if (typeof body === 'object' && body !== null) printRecord(output, body as Row) // JSON objects have string keys
  return 0
}

type List = z.output<typeof Answered.list>

function printList(output: Output, operation: Command, { items, nextCursor, total }: List): void {
  printTable(output, operation.columns ?? Object.keys(items[0] ?? {}), items)
  if (total !== undefined) output.err(paint(output, 'dim', `${totalText(total)} in all\n`))
  if (nextCursor !== null) output.err(paint(output, 'dim', `more: repeat with --cursor ${nextCursor}\n`))
}

/** As it is: control characters are the writer's business, who escapes them. */
function printDocument(output: Output, key: string, body: unknown): void {
  const { [key]: text, nextCursor } = z.record(z.string(), z.unknown()).parse(body)
  output.out(String(text))
  if (typeof nextCursor === 'string') output.err(paint(output, 'dim', `more: repeat with --cursor ${nextCursor}\n`))
}

/** Command lines are visible to every user of the machine (proc(5), /proc/pid/cmdline). */
function refuseTypedSecrets({ operation, input }: ParsedCommand): void {
  const typed = operation.secret?.find((key) => input[key] !== undefined)
  if (typed === undefined) return
  throw new WcpError(
    'bad_input',
    `Cannot take "${typed}" from the command line: other users of this machine could read it`,
    {
      fields: [{ field: typed, problem: 'was typed into the command' }],
      help: `Leave the value out, with "--${typed}" as the last word: wcp asks for it, or reads it as a line from standard input.`,
    },
  )
}

async function askSecrets({ operation, toPrompt }: ParsedCommand, ask: Ask): Promise<Record<string, string>> {
  const wanted = commandSpec(operation).options.filter(
    ({ secret, field }) => secret && (field.required || toPrompt.includes(field.name)),
  )
  const answers: Record<string, string> = {}
  for (const { field } of wanted) {
    const prompt = `${field.name}: `
    // one that is missing is named by the panel, with all else that is wrong
    const given = await (field.required ? ask.secret(prompt) : demand(ask.secret, prompt))
    if (given !== '') answers[field.name] = given
  }
  return answers
}

async function confirm({ operation, flags }: ParsedCommand, ask: Ask): Promise<void> {
  if (operation.confirm === undefined || flags.yes) return
  if (await ask.yes(operation.confirm)) return
  throw new WcpError('bad_input', `Cannot run "${operation.name}" without a yes to: ${operation.confirm}`, {
    help: 'Answer y, or add --yes where nobody can be asked.',
  })
}
