/** The tree of commands: one for each operation, and those of the machine itself. */
import { Command, CommanderError } from 'commander'
import { errorTable } from '../contract/errors.ts'
import { httpBinding, kindOf, verbOf } from '../contract/operation.ts'
import {
  argumentWords,
  type CommandOption,
  type CommandSpec,
  commandSpec,
  longForm,
  namedOptions,
  type Command as OperationCommand,
  placeholder,
  usageLine,
} from '../lib/command-spec.ts'
import { apiRoot } from '../lib/http-call.ts'
import { logOperation } from './followed.ts'

/** A command that is no operation: it looks at this machine, or follows something. */
export interface LocalCommand {
  /** `status`, or `config set`. */
  readonly words: string
  readonly summary: string
  /** As in usage lines: `<key>`, `[unit]`, `<words...>`. */
  readonly args?: readonly (readonly [name: string, what: string])[]
  /** `-f, --follow`, `--lines <n>`. */
  readonly options?: readonly (readonly [flags: string, what: string])[]
  /** @returns the exit code. */
  run(args: readonly string[], options: Readonly<Record<string, string | boolean>>): Promise<number>
}

export interface Program {
  readonly operations: readonly OperationCommand[]
  readonly locals: readonly LocalCommand[]
  readonly version: string
  write(text: string): void
  writeError(text: string): void
  /** Runs the words of an operation. */
  runWords(words: readonly string[]): Promise<number>
}

/** @param words what follows `wcp`. @returns the exit code. */
export async function runProgram(program: Program, words: readonly string[]): Promise<number> {
  let exitCode = 0
  const typed = helpAsOption(words)
  const root = buildTree(program, typed, (code) => {
    exitCode = code
  })
  try {
    await root.parseAsync(typed.length === 0 ? ['--help'] : [...typed], { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return error.exitCode === 0 ? 0 : errorTable.bad_input.exit
  }
  return exitCode
}

/** `help domain create` is `domain create --help`. */
function helpAsOption(words: readonly string[]): readonly string[] {
  const [first, ...command] = words
  return first === 'help' && command.length > 0 ? [...longForm(command), '--help'] : words
}

function buildTree(program: Program, words: readonly string[], ended: (exitCode: number) => void): Command {
  const root = new Command('wcp')
    .description('WCP360, the hosting control panel. Everything the pages can do, from a terminal.')
    .version(program.version, '--version', 'print the version')
    .helpCommand('help [command...]', 'explain a command, such as "help domain create"')
    .exitOverride()
    .configureOutput({ writeOut: program.write, writeErr: program.writeError })
    .showSuggestionAfterError(true)
    .addHelpText(
      'after',
      section('With every command', [
        ['--json', 'print the JSON answer of the API; do not wait for the job'],
        ['--plan', 'of a change: show what would change, and change nothing'],
        ['--help', "print the command's own arguments and options"],
      ]),
    )
    .addHelpText(
      'after',
      section('The panel of another machine', [
        ['wcp login --server <url>', 'sign in to it'],
        ['wcp --server <url> …', 'any command there; or WCP_SERVER'],
        ['WCP_API_KEY', 'an API key instead of a person; WCP_FINGERPRINT trusts a certificate that signs itself'],
        ['wcp --root <dir> …', 'that of an agent below a directory of this machine ("wcpd agent --root <dir>")'],
      ]),
    )
    .addHelpText(
      'after',
      section('A command in the place of a site', [['wcp run <domain> -- <program> …', 'short for "wcp domain run"']]),
    )
    .addHelpText('after', section('Exit codes', exitCodes()))
  for (const operation of program.operations) {
    const group = groupOf(root, kindOf(operation)).configureHelp({ subcommandTerm: (one) => shortUsage(one, program) })
    group.addCommand(operationCommand(root, operation).action(async () => ended(await program.runWords(words))))
  }
  for (const local of program.locals) addLocal(root, local, ended)
  for (const group of root.commands.filter(({ commands }) => commands.length > 0))
    group.summary(group.commands.map((verb) => verb.name()).join(', '))
  return root
}

function exitCodes(): readonly (readonly [string, string])[] {
  const byExit = Map.groupBy(Object.entries(errorTable), ([, { exit }]) => exit)
  const errors = [...byExit].map(([exit, of]) => [String(exit), of.map(([code]) => code).join(', ')] as const)
  return [['0', 'done'], ...errors.toSorted(([one], [other]) => Number(one) - Number(other))]
}

function groupOf(root: Command, kind: string): Command {
  const known = root.commands.find((command) => command.name() === kind)
  if (known !== undefined) return known
  const group = inherit(root, new Command(kind)).helpCommand(false)
  root.addCommand(group)
  return group
}

/**
 * Its words are read by the parser that the terminal page shares, so commander lets everything through. What only help
 * shows is made when it is shown: it reads the inputs of all operations.
 */
function operationCommand(root: Command, operation: OperationCommand): Command {
  return inherit(root, new Command(verbOf(operation)))
    .summary(operation.summary)
    .description([operation.summary, operation.description].filter(Boolean).join('\n\n'))
    .argument('[words...]')
    .allowUnknownOption()
    .allowExcessArguments()
    .configureHelp({
      commandUsage: () => usageLine(operation),
      visibleArguments: () => [],
      visibleOptions: () => [],
    })
    .addHelpText('after', () => operationHelp(operation))
}

/** How a group lists it: `create <tenant> <fqdn>`. */
function shortUsage(command: Command, { operations }: Program): string {
  const operation = operations.find(({ name }) => name === `${command.parent?.name()}.${command.name()}`)
  const words =
    operation === undefined
      ? command.registeredArguments.map((one) => (one.required ? `<${one.name()}>` : `[${one.name()}]`))
      : argumentWords(commandSpec(operation))
  return [command.name(), ...words].join(' ')
}

function operationHelp(operation: OperationCommand): string {
  const spec = commandSpec(operation)
  const { method, path } = httpBinding(operation)
  const flags: readonly (readonly [string, string])[] = [
    ...namedOptions(spec).map(optionRow),
    ...(operation.name === logOperation ? [['-f, --follow', 'go on with what comes'] as const] : []),
    ['--json', 'print the JSON answer of the API; do not wait for the job'],
    ...(operation.effect === 'read' ? [] : [['--plan', 'show what would change, and change nothing'] as const]),
    ...(operation.confirm === undefined ? [] : [['--yes', `answer yes to: ${operation.confirm}`] as const]),
    ['--help', 'print this help'],
  ]
  return [
    section(
      'Arguments',
      spec.args.map(({ name, field }) => [name, field.description ?? '']),
    ),
    section('Options', flags),
    section('Asked for', askedFor(spec)),
    operation.bytes === 'body' ? section('Standard input', [[`wcp ${spec.words} … <FILE`, 'the bytes']]) : '',
    `\nAPI: ${method} ${apiRoot}${path}\n`,
  ].join('')
}

function askedFor({ words, options }: CommandSpec): readonly (readonly [string, string])[] {
  const asked = options.filter(({ secret, field }) => secret && field.required)
  return asked.map(({ field: { name } }) => [
    name,
    `without a terminal it is read as a line from standard input: wcp ${words} … <FILE`,
  ])
}

function optionRow({ flag, field, secret }: CommandOption): readonly [string, string] {
  const value = field.type === 'boolean' || secret ? '' : ` ${placeholder(field)}`
  const notes = [
    field.required ? 'required' : '',
    field.nullable ? '"none" for null' : '',
    field.type === 'list' ? 'may be repeated' : '',
    secret ? 'the value is asked for' : '',
  ]
  const shown = notes.filter(Boolean).join(', ')
  return [`--${flag}${value}`, `${field.description ?? ''}${shown === '' ? '' : ` (${shown})`}`]
}

function section(name: string, rows: readonly (readonly [string, string])[]): string {
  if (rows.length === 0) return ''
  const width = Math.max(...rows.map(([term]) => term.length))
  return `\n${name}:\n${rows.map(([term, what]) => `  ${term.padEnd(width)}  ${what}`.trimEnd()).join('\n')}\n`
}

function addLocal(root: Command, local: LocalCommand, ended: (exitCode: number) => void): void {
  const [first = '', second] = local.words.split(' ')
  const parent = second === undefined ? root : groupOf(root, first)
  const command = inherit(root, new Command(second ?? first))
    .summary(local.summary)
    .description(local.summary)
  for (const [name, what] of local.args ?? []) command.argument(name, what)
  for (const [flags, what] of local.options ?? []) command.option(flags, what)
  command.action(async () => ended(await local.run(command.args, command.opts())))
  parent.addCommand(command)
}

/** `addCommand`, unlike `command`, does not pass the parent's settings on. */
function inherit(root: Command, command: Command): Command {
  return command.copyInheritedSettings(root)
}
