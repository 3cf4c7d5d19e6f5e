/** The controls of a form, derived from an operation's input. */

import type { WcpError } from '../../contract/errors.ts'
import type { Field } from '../../contract/fields.ts'
import { type AnyOperation, verbOf } from '../../contract/operation.ts'
import { nothing } from '../../lib/command-spec.ts'
import { manyLines } from '../../lib/field-formats.ts'
import { plainWords } from '../../lib/plain-words.ts'
import { label, type Texts } from '../../lib/texts.ts'
import { spoken } from './field-words.ts'
import { type FormValues, textOf } from './form-values.ts'
import type { PlaceOfRole } from './place-of-role.ts'

export interface Choice {
  readonly value: string
  readonly title: string
  /** The name that programs use, where people read another. */
  readonly code?: string
  /** Heading under which it stands with its like, among boxes. */
  readonly group?: string
}

export interface BoxGroup {
  readonly title: string
  readonly boxes: readonly (Choice & { readonly id: string })[]
}

export interface Control {
  readonly id: string
  readonly name: string
  readonly label: string
  /** Of `lines`; 3 unless told. */
  readonly rows?: number
  readonly control: 'input' | 'select' | 'lines' | 'check' | 'checks'
  readonly inputType: 'text' | 'password' | 'email' | 'search'
  readonly inputMode?: 'numeric'
  readonly autocomplete?: string
  readonly placeholder?: string
  /** Options of a select; suggestions of an input. */
  readonly choices: readonly Choice[]
  /** Boxes of `checks`. */
  readonly groups?: readonly BoxGroup[]
  /** Links to the same form with some of its boxes ticked. */
  readonly presets?: readonly { readonly title: string; readonly href: string }[]
  readonly value: string
  readonly required: boolean
  /** Worth saying that it may stay empty. */
  readonly saysOptional: boolean
  readonly short: boolean
  readonly secret: boolean
  readonly hint?: string
  readonly error?: string
}

export interface FormOptions {
  readonly t: Texts
  readonly values: FormValues
  readonly error: WcpError | null
  /** The choices of references by field name; a field without is free text. */
  readonly choices: ReadonlyMap<string, readonly Choice[]>
  /** Where they are asked in another way than the operation says. */
  readonly fields?: readonly Field[]
  /** Fields that the page shows in another way. */
  readonly without: ReadonlySet<string>
  /** Fields of limits that this machine cannot enforce. */
  readonly unenforced: readonly string[]
  /** Whether the customer is needed that the form may leave out. */
  readonly place?: PlaceOfRole | null
}

/** Left open, the panel chooses one; any other reference that is left open refers to nothing. */
const hasDefault = new Set(['package', 'php'])

/** Left open in a change, it stays as it is: the present value has no word of its own. */
const staysOpen = new Set(['role'])

/** Beyond this many, a select is worse than typing with suggestions. */
const longestSelect = 60

export function formControls(operation: AnyOperation, options: FormOptions): Control[] {
  return (options.fields ?? operation.fields)
    .filter((field) => !options.without.has(field.name))
    .map((field) =>
      control(field, operation.secret?.includes(field.name) ?? false, verbOf(operation) === 'update', options),
    )
    .toSorted((a, b) => Number(b.required) - Number(a.required))
}

function control(
  field: Field,
  secret: boolean,
  isUpdate: boolean,
  { t, values, error, choices, unenforced, place = null }: FormOptions,
): Control {
  const offered = choices.get(field.name)
  const value = values[field.name] ?? (field.default === null ? '' : textOf(field, field.default))
  const isSelect =
    field.type === 'choice' || (offered !== undefined && offered.length <= longestSelect && field.type === 'text')
  const refused = error?.fields.find((one) => one.field === field.name || one.field.startsWith(`${field.name}.`))
  // A list of names needs no further words.
  const hint = [
    ...(offered === undefined ? [field.description && plainWords(field.description), bounds(t, field)] : []),
    unenforced.includes(field.name) ? t.form.notEnforced : undefined,
    field.name === 'tenant' && place === 'open' ? t.form.placeOfRole : undefined,
  ]
    .flatMap((part) => part || [])
    .map((part, place, all) => (place === all.length - 1 || part.endsWith('.') ? part : `${part}.`))
    .join(' ')
  const isPlaced = field.name === 'tenant' && place === 'needed'
  const isNumber = field.type === 'integer' || field.type === 'number'
  const id = `f-${field.name.replaceAll('.', '-')}`
  const isChecks = field.type === 'list' && offered !== undefined
  return {
    id,
    name: field.name,
    label: fieldLabel(t, field),
    control:
      field.type === 'boolean'
        ? 'check'
        : isChecks
          ? 'checks'
          : field.type === 'list' || field.format === manyLines
            ? 'lines'
            : isSelect
              ? 'select'
              : 'input',
    ...(field.format === manyLines && { rows: 24 }),
    inputType: secret ? 'password' : field.format === 'email' || field.name === 'email' ? 'email' : 'text',
    ...(isNumber && { inputMode: 'numeric' as const }),
    ...(secret && { autocomplete: 'new-password' }),
    ...(isNumber && field.nullable && { placeholder: t.form.noLimit }),
    choices: isSelect
      ? selectChoices(t, isPlaced ? { ...field, required: true } : field, offered, value, isUpdate)
      : isChecks
        ? []
        : (offered ?? []),
    ...(isChecks && { groups: groupsOf(id, offered) }),
    value,
    required: (field.required && !(field.nullable && isNumber)) || isPlaced,
    saysOptional:
      !field.required && !(field.name === 'tenant' && place !== null) && !isUpdate && !(field.nullable && isNumber),
    short: isNumber,
    secret,
    ...(hint !== '' && { hint }),
    ...(refused !== undefined && { error: spoken(t, refused) }),
  }
}

function selectChoices(
  t: Texts,
  field: Field,
  offered: readonly Choice[] | undefined,
  value: string,
  isUpdate: boolean,
): Choice[] {
  const words = offered ?? field.choices.map((word) => ({ value: word, title: word }))
  const none =
    field.nullable && (field.required || hasDefault.has(field.name))
      ? [{ value: nothing, title: field.name.endsWith('php') ? t.form.noPhp : t.form.nothing }]
      : []
  const isKept = isUpdate && staysOpen.has(field.name)
  const open = field.required
    ? t.form.choose
    : isKept
      ? t.form.unchanged
      : hasDefault.has(field.name)
        ? t.form.standard
        : t.form.nothing
  const isSaid = (field.required && field.nullable) || words.some(({ value }) => value === '')
  const first = isSaid ? [] : [{ value: '', title: open }]
  const all = [...first, ...words, ...none]
  // A typed or stored value stays choosable, or sending the form would change it unasked.
  return all.some((choice) => choice.value === value) ? all : [...all, { value, title: value }]
}

function groupsOf(id: string, choices: readonly Choice[]): BoxGroup[] {
  const numbered = choices.map((choice, at) => ({ ...choice, id: `${id}-${at}` }))
  const groups = Map.groupBy(numbered, ({ group }) => group ?? '')
  return [...groups].map(([title, boxes]) => ({ title, boxes }))
}

function bounds(t: Texts, { type, min, max }: Field): string | undefined {
  if (type === 'list') return t.form.lines
  if (min !== undefined && max !== undefined)
    return `${t.form.between} ${t.format.number(min)} ${t.form.to} ${t.format.number(max)}.`
  if (min !== undefined) return `${t.form.atLeast} ${t.format.number(min)}.`
  return max === undefined ? undefined : `${t.form.atMost} ${t.format.number(max)}.`
}

/** `limits.memMb` is labelled as its last part. */
export function fieldLabel(t: Texts, field: Pick<Field, 'path'>): string {
  return label(t, field.path.at(-1) ?? '')
}
