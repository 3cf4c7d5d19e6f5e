/**
 * `wcp kind verb …` derived from an operation: its arguments and options, the line that stands for an input, and the
 * input that a line stands for. Pages, terminal and CLI share it, so what a page prints is what the CLI reads.
 */
import { WcpError } from '../contract/errors.ts'
import { type Field, getAt, setAt } from '../contract/fields.ts'
import { type AnyOperation, kindOf, verbOf } from '../contract/operation.ts'
import { quoteWord } from './words.ts'

export interface CommandArgument {
  readonly field: Field
  /** kebab-case, as usage lines show it. */
  readonly name: string
  /** Takes all words that are left. */
  readonly variadic: boolean
}

export interface CommandOption {
  readonly field: Field
  /** Without the dashes: `limits-mem-mb`. */
  readonly flag: string
  /** Never printed again, and better asked for than typed: `wcp` asks for each that is required or named without a value. */
  readonly secret: boolean
}

export interface CommandSpec {
  /** `tenant create` */
  readonly words: string
  readonly args: readonly CommandArgument[]
  readonly options: readonly CommandOption[]
}

/** Flags that are no input of any operation. */
export interface CommandFlags {
  readonly plan: boolean
  readonly json: boolean
  /** The answer to the question of a dangerous operation is given. */
  readonly yes: boolean
}

/** What a command line must know of an operation. All of it is JSON, so `wcp` reads it and makes no schema. */
export type Command = Pick<AnyOperation, (typeof commandFacts)[number]>

export const commandFacts = [
  ...(['name', 'summary', 'description', 'effect', 'http', 'positional', 'fields'] as const),
  ...(['secret', 'confirm', 'document', 'columns', 'answersOnce', 'bytes'] as const),
] as const satisfies readonly (keyof AnyOperation)[]

export interface ParsedCommand<C extends Command = Command> {
  readonly operation: C
  readonly input: Record<string, unknown>
  /** Secret inputs that are named without a value. */
  readonly toPrompt: readonly string[]
  readonly flags: CommandFlags
}

/** How the command line spells null: no limit, no PHP. */
export const nothing = 'none'

export function commandSpec(operation: Command): CommandSpec {
  const fields = operation.fields
  const args = operation.positional.flatMap((key) => {
    const field = fields.find(({ name }) => name === key)
    return field === undefined ? [] : [{ field, name: kebab(field.path), variadic: field.type === 'list' }]
  })
  const options = fields
    .filter(({ name }) => !operation.positional.includes(name))
    .map((field) => ({ field, flag: kebab(field.path), secret: operation.secret?.includes(field.name) ?? false }))
  return { words: `${kindOf(operation)} ${verbOf(operation)}`, args, options }
}

/** The options that a line may name: required secrets are asked for without being named. */
export function namedOptions({ options }: CommandSpec): readonly CommandOption[] {
  return options.filter(({ secret, field }) => !(secret && field.required))
}

/** `wcp tenant create <name> [--package PACKAGE] …` */
export function usageLine(operation: Command): string {
  const spec = commandSpec(operation)
  const option = ({ field, flag, secret }: CommandOption) => {
    const shown = field.type === 'boolean' || secret ? `--${flag}` : `--${flag} ${placeholder(field)}`
    return field.required ? shown : `[${shown}]`
  }
  const sorted = namedOptions(spec).toSorted((a, b) => Number(b.field.required) - Number(a.field.required))
  return ['wcp', spec.words, ...argumentWords(spec), ...sorted.map(option)].join(' ')
}

/** `<tenant>`, `<fqdn>` */
export function argumentWords({ args }: CommandSpec): readonly string[] {
  return args.map(({ name, variadic, field }) => {
    const shown = `<${name}>${variadic ? '…' : ''}`
    return field.required ? shown : `[${shown}]`
  })
}

export function placeholder(field: Field): string {
  if (field.choices.length > 0 && field.choices.length <= 6) return field.choices.join('|')
  if (field.type === 'integer' || field.type === 'number') return 'N'
  return kebab(field.path).toUpperCase()
}

/** The line that does the same as this input. Secret values are left out: `wcp` asks for them, where need be by name. */
export function toCommandLine(operation: Command, input: Record<string, unknown>): string {
  const { words, args, options } = commandSpec(operation)
  const positional = args
    .flatMap(({ field }) => [getAt(input, field.path)].flat())
    .filter((value) => value !== undefined)
    .map(wordOf)
  const flags = options.flatMap(({ field, flag, secret }) => {
    const value = getAt(input, field.path)
    if (value === undefined || same(value, field.default)) return []
    if (secret) return field.required ? [] : [`--${flag}`]
    if (field.type === 'boolean' && value !== null) return [value === true ? `--${flag}` : `--no-${flag}`]
    const values: readonly unknown[] = field.type === 'list' && Array.isArray(value) ? value : [value]
    if (values.length === 0) return [`--${flag}=`]
    return values.map((one) => {
      const word = wordOf(one)
      return word.startsWith('-') || word === ''
        ? `--${flag}=${quoteWord(word).replace(/^''$/, '')}`
        : `--${flag} ${quoteWord(word)}`
    })
  })
  const needsBreak = positional.some((word) => word.startsWith('-'))
  const tail = positional.map(quoteWord)
  return ['wcp', words, ...(needsBreak ? [...flags, '--', ...tail] : [...tail, ...flags])].join(' ')
}

/** Reads words as `splitWords` gives them, with or without a leading `wcp`; throws `bad_input` naming what is wrong. */
export function parseCommandLine<C extends Command>(
  words: readonly string[],
  operations: readonly C[],
): ParsedCommand<C> {
  const [kind, verb, ...rest] = longForm(words[0] === 'wcp' ? words.slice(1) : words)
  const operation = findOperation(kind, verb, operations)
  const { args, options } = commandSpec(operation)
  const flags = { plan: false, json: false, yes: false }
  const given: string[] = []
  const toPrompt: string[] = []
  const input: Record<string, unknown> = {}
  const lists = new Map<Field, string[]>()
  const left = [...rest]
  for (let word = left.shift(); word !== undefined; word = left.shift()) {
    if (word === '--') {
      given.push(...left.splice(0))
      continue
    }
    if (!word.startsWith('--')) {
      given.push(word)
      continue
    }
    const cut = word.indexOf('=')
    const name = word.slice(2, cut === -1 ? undefined : cut)
    const inline = cut === -1 ? undefined : word.slice(cut + 1)
    if (inline === undefined && Object.hasOwn(flags, name)) {
      flags[name as keyof typeof flags] = true // just checked
      continue
    }
    const negated = name.startsWith('no-') && !options.some(({ flag }) => flag === name)
    const { field, secret } = options.find(({ flag }) => flag === (negated ? name.slice(3) : name)) ?? {}
    if (field === undefined || (negated && field.type !== 'boolean')) throw unknownOption(operation, name)
    if (field.type === 'boolean') {
      setAt(input, field.path, negated ? false : inline === undefined ? true : inputValue(field, inline))
      continue
    }
    if (secret && inline === undefined && (left[0] ?? '--').startsWith('--')) {
      toPrompt.push(field.name)
      continue
    }
    const value = inline ?? left.shift()
    if (value === undefined) throw refused(operation, field, 'needs a value', placeholder(field))
    if (field.type !== 'list') setAt(input, field.path, inputValue(field, value))
    else lists.set(field, [...(lists.get(field) ?? []), ...(value === '' ? [] : [value])])
  }
  for (const [field, values] of lists) setAt(input, field.path, values)
  for (const { field, variadic } of args) {
    const values = given.splice(0, variadic ? given.length : 1)
    const [first] = values
    if (first !== undefined) setAt(input, field.path, variadic ? values : inputValue(field, first))
    else if (field.required) throw refused(operation, field, 'is missing', field.description)
  }
  const [surplus] = given
  if (surplus !== undefined)
    throw new WcpError('bad_input', `Cannot read the command: "${surplus}" is one word too many`, {
      help: usageLine(operation),
    })
  if (flags.plan && operation.effect === 'read')
    throw new WcpError('bad_input', `Cannot plan "${commandSpec(operation).words}": it changes nothing`)
  return { operation, input, toPrompt, flags }
}

/** Commands that are one word, because people type them all day. */
const shortForms: Readonly<Record<string, readonly string[]>> = { run: ['domain', 'run'] }

/** The line in full: `run shop.example.com -- ls` is `domain run shop.example.com -- ls`. */
export function longForm(words: readonly string[]): readonly string[] {
  const [first = '', ...rest] = words
  return Object.hasOwn(shortForms, first) ? [...(shortForms[first] ?? []), ...rest] : words
}

function findOperation<C extends Command>(
  kind: string | undefined,
  verb: string | undefined,
  operations: readonly C[],
): C {
  const found = operations.find(({ name }) => name === `${kind}.${verb}`)
  if (found !== undefined) return found
  const kinds = [...new Set(operations.map(kindOf))]
  if (kind === undefined || !kinds.includes(kind))
    throw new WcpError('bad_input', `Cannot read the command: "${kind ?? ''}" is no kind of thing`, {
      help: `Accepted: ${kinds.join(', ')}.`,
    })
  const verbs = operations.filter((operation) => kindOf(operation) === kind).map(verbOf)
  const said = verb === undefined ? `"${kind}" needs a verb` : `"${kind}" knows no "${verb}"`
  throw new WcpError('bad_input', `Cannot read the command: ${said}`, { help: `Accepted: ${verbs.join(', ')}.` })
}

const spokenBooleans = new Map([
  ['true', true],
  ['yes', true],
  ['false', false],
  ['no', false],
])

/** A typed word as the input's value; what does not convert is passed on for the schema to refuse. */
export function inputValue(field: Field, word: string): unknown {
  if (field.nullable && word === nothing) return null
  if (field.type === 'integer' || field.type === 'number') return /^-?\d+(\.\d+)?$/.test(word) ? Number(word) : word
  if (field.type === 'boolean') return spokenBooleans.get(word) ?? word
  if (field.type !== 'json') return word
  try {
    return JSON.parse(word)
  } catch {
    return word // the schema names the field and what it accepts
  }
}

/** The opposite of `inputValue`. */
export function wordOf(value: unknown): string {
  if (value === null) return nothing
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function unknownOption(operation: Command, name: string): WcpError {
  const { words, options } = commandSpec(operation)
  const accepted = options.map(({ flag }) => `--${flag}`)
  return new WcpError('bad_input', `Cannot read the command: "${words}" has no option "--${name}"`, {
    fields: [{ field: name, problem: 'is not known', ...(accepted.length > 0 && { accepted: accepted.join(', ') }) }],
    help: usageLine(operation),
  })
}

function refused(operation: Command, field: Field, problem: string, accepted: string | undefined): WcpError {
  return new WcpError('bad_input', `Cannot read the command: "${kebab(field.path)}" ${problem}`, {
    fields: [{ field: field.name, problem, ...(accepted !== undefined && { accepted }) }],
    help: usageLine(operation),
  })
}

function kebab(path: readonly string[]): string {
  return path.map((key) => key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)).join('-')
}

function same(a: unknown, b: unknown): boolean {
  return b !== undefined && JSON.stringify(a) === JSON.stringify(b)
}
