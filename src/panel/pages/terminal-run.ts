/** One line of the terminal page, run as `wcp` would, with the API call that it stands for. */
import { Readable } from 'node:stream'
import type { FastifyRequest } from 'fastify'
import { asWcpError, WcpError } from '../../contract/errors.ts'
import { isRecord } from '../../contract/fields.ts'
import { type AnyOperation, kindOf } from '../../contract/operation.ts'
import { commandSpec, type ParsedCommand, parseCommandLine, toCommandLine, usageLine } from '../../lib/command-spec.ts'
import { printChanges, printProblem, printRecord, printTable } from '../../lib/print.ts'
import { path } from '../../lib/safe-url.ts'
import { splitWords } from '../../lib/words.ts'
import type { Outcome } from '../http/types.ts'
import { apiCall } from './api-call.ts'
import type { PageKit } from './page-kit.ts'
import type { TerminalEntry } from './terminal-session.ts'

export async function runLine(kit: PageKit, request: FastifyRequest, line: string): Promise<TerminalEntry> {
  const operations = offered(kit, request)
  const nothing = { call: null, json: null, failed: false, job: null }
  try {
    const words = splitWords(line).filter((word, at) => at > 0 || word !== 'wcp')
    const help = helpFor(words, operations)
    if (help !== null) return { ...nothing, line, text: help }
    // By all, so that what is not permitted is refused as everywhere and not as an unknown word.
    return await runCommand(kit, request, parseCommandLine(words, kit.deps.operations))
  } catch (thrown) {
    return { ...nothing, line: shown(line, kit.deps.operations), failed: true, ...problemText(refusalOf(thrown)) }
  }
}

async function runCommand(
  kit: PageKit,
  request: FastifyRequest,
  command: ParsedCommand<AnyOperation>,
): Promise<TerminalEntry> {
  const { operation, input, toPrompt, flags } = command
  const call = apiCall(operation, input, { plan: flags.plan })
  const line = toCommandLine(operation, input) + (flags.plan ? ' --plan' : '') + (flags.yes ? ' --yes' : '')
  const base = { line, call, job: null, failed: false }
  try {
    const [name] = toPrompt
    if (name !== undefined)
      throw new WcpError('bad_input', `Cannot read the command: "${name}" needs a value`, {
        help: kit.textsOf(request).terminal.asksNothing,
      })
    if (flags.plan) {
      const plan = await kit.deps.plan(request, operation, input)
      const text = printed((output) => {
        for (const { type, changes } of plan) {
          output.out(`${type}\n`)
          printChanges(output, changes)
        }
      })
      return { ...base, text, json: json(plan) }
    }
    if (operation.confirm !== undefined && !flags.yes)
      throw new WcpError('precondition_failed', operation.confirm, { help: kit.textsOf(request).terminal.sure })
    const { value, jobIds } = withoutBytes(await kit.deps.run(request, operation, input))
    const [job] = jobIds
    return {
      ...base,
      text: answerText(operation, value),
      json: json(value),
      job: job === undefined ? null : path`/jobs/${job}`,
    }
  } catch (thrown) {
    return { ...base, failed: true, ...problemText(refusalOf(thrown)) }
  }
}

/** A page of text has no place for the bytes of a file: it says which file they are of. */
export function withoutBytes({ value, ...rest }: Outcome<unknown>): Outcome<unknown> {
  if (!isRecord(value) || !(value.bytes instanceof Readable)) return { value, ...rest }
  const { bytes, ...facts } = value
  value.bytes.destroy()
  return { value: facts, ...rest }
}

/** What the visitor is told in the terminal; a defect of ours is thrown on, for the page of errors. */
export function refusalOf(thrown: unknown): WcpError {
  const error = asWcpError(thrown)
  if (error.code === 'internal') throw thrown
  return error
}

export function offered(kit: PageKit, request: FastifyRequest): AnyOperation[] {
  return kit.deps.operations.filter(({ name }) => kit.may(request, name))
}

/** `help`, `help tenant`, `tenant --help`, `tenant create --help`; null for anything that is to be run. */
function helpFor(words: readonly string[], operations: readonly AnyOperation[]): string | null {
  const asked =
    words[0] === 'help' ? words.slice(1) : words.includes('--help') ? words.filter((word) => word !== '--help') : null
  if (asked === null) return null
  const [kind, verb] = asked
  const fitting = operations.filter((operation) => kind === undefined || kindOf(operation) === kind)
  const one = fitting.find(({ name }) => name === `${kind}.${verb}`)
  if (one === undefined) return fitting.map((operation) => commandLine(operation)).join('\n')
  const { args, options } = commandSpec(one)
  const rows = [
    ...args.map(({ name, field }) => [`<${name}>`, field.description ?? '']),
    ...options.map(({ flag, field }) => [`--${flag}`, field.description ?? '']),
  ]
  const lines = rows.map(([name = '', about = '']) => `  ${name.padEnd(20)} ${about}`.trimEnd())
  return [
    usageLine(one),
    '',
    one.summary,
    ...(one.description === undefined ? [] : [one.description]),
    '',
    ...lines,
  ].join('\n')
}

function commandLine(operation: AnyOperation): string {
  return `${commandSpec(operation).words.padEnd(20)} ${operation.summary}`
}

function answerText(operation: AnyOperation, value: unknown): string {
  if (operation.document !== undefined && isRecord(value)) return String(value[operation.document]).trimEnd()
  return printed((output) => {
    if (isRecord(value) && Array.isArray(value.items)) {
      const rows = value.items.filter(isRecord)
      printTable(output, operation.columns ?? Object.keys(rows[0] ?? {}), rows)
    } else if (isRecord(value)) printRecord(output, value)
  })
}

function problemText(error: WcpError): { text: string; json: string } {
  return { text: printed((output) => printProblem(output, error)), json: json(error.toProblem()) }
}

function printed(
  print: (output: { out(text: string): void; err(text: string): void; colour: boolean }) => void,
): string {
  let text = ''
  const write = (more: string) => {
    text += more
  }
  print({ out: write, err: write, colour: false })
  return text.trimEnd()
}

function json(value: unknown): string {
  return JSON.stringify(value, null, 2)
}

/** A line that could not be read is kept as typed, unless it names an option that is secret. */
function shown(line: string, operations: readonly AnyOperation[]): string {
  const secrets = operations.flatMap((operation) => commandSpec(operation).options.filter(({ secret }) => secret))
  const hides = secrets.find(({ flag }) => line.includes(`--${flag}`))
  return hides === undefined ? line : `${line.slice(0, line.indexOf(`--${hides.flag}`))}--${hides.flag} …`
}
