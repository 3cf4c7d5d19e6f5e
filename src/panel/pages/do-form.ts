/** The page of an operation's form, and of the answer that it gives once. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { WcpError } from '../../contract/errors.ts'
import { isRecord } from '../../contract/fields.ts'
import { type AnyOperation, httpBinding, kindOf, verbOf } from '../../contract/operation.ts'
import { toCommandLine, usageLine } from '../../lib/command-spec.ts'
import { asRead } from '../../lib/field-formats.ts'
import { plainWords } from '../../lib/plain-words.ts'
import { path, query } from '../../lib/safe-url.ts'
import { shownOnce } from '../../lib/shown-once.ts'
import { deed, label, type Texts } from '../../lib/texts.ts'
import { kinds } from '../../resources/index.ts'
import { type AnyKind, wordsOf } from '../../resources/kind.ts'
import type { JobPlan } from '../http/types.ts'
import { apiCall, apiCallText } from './api-call.ts'
import { planView } from './diff-lines.ts'
import { type Choice, fieldLabel, formControls } from './form-fields.ts'
import { type FormValues, inputOf } from './form-values.ts'
import type { PageKit } from './page-kit.ts'
import { placeOfRole } from './place-of-role.ts'
import { homeOf, isDestructive, listPath } from './places.ts'
import { problemView } from './problem-view.ts'
import { referenceChoices } from './reference-choices.ts'

export interface FormState {
  readonly operation: AnyOperation
  readonly values: FormValues
  /** The stored values when a change began. */
  readonly present: FormValues | null
  /** Of what the form showed when it was opened: so two people who change the same do not overwrite each other unseen. */
  readonly version: string | undefined
  readonly back: string | undefined
  /** Fields of a change that are asked; undefined: all. The others stay as they are. */
  readonly only?: readonly string[] | undefined
  /** The command line names the values; before anybody typed, it shows the usage. */
  readonly isTyped: boolean
  readonly asks: boolean
  readonly plan: readonly JobPlan[] | null
  readonly error: WcpError | null
}

export async function sendForm(
  kit: PageKit,
  request: FastifyRequest,
  reply: FastifyReply,
  state: FormState,
): Promise<FastifyReply> {
  const t = kit.textsOf(request)
  const { operation, values, asks, error } = state
  const shown = subject(operation, values)
  const own = Object.keys(ownTenant(request, operation))
  const kept = operation.fields.map(({ name }) => name).filter((name) => state.only?.includes(name) === false)
  const carried = operation.fields.filter(({ format }) => format === asRead).map(({ name }) => name)
  const unasked = [...own, ...carried].filter((name) => values[name])
  const hidden = asks ? Object.keys(values) : [...new Set([...shown, ...unasked])]
  const choices = asks ? new Map<string, readonly Choice[]>() : await referenceChoices(kit, request, operation)
  const kind = kinds.find(({ name }) => name === kindOf(operation))
  const fields = operation.fields.map((field) => {
    const offers = kind?.offers?.(field.name, values, t)
    if (offers === undefined) return field
    choices.set(field.name, offers)
    const required = field.required && offers.every(({ value }) => value !== '')
    return { ...field, type: 'choice' as const, nullable: false, required, choices: offers.map(({ value }) => value) }
  })
  const place = asks ? null : await placeOfRole(kit, request, operation, values)
  const without = new Set([
    ...hidden,
    ...kept,
    ...(kit.may(request, 'reseller.list') ? [] : ['reseller', 'isSystem']),
    ...(place === 'none' && !values.tenant ? ['tenant'] : []),
  ])
  const unenforced = kindOf(operation) === 'package' ? kit.deps.agent.unenforced : []
  const controls = formControls(operation, { t, values, error, choices, fields, without, unenforced, place }).map(
    (control) => ({
      ...control,
      presets: presetsOf(kit, t, state, kind, control.name, choices.get(control.name)),
    }),
  )
  const labels = new Map(operation.fields.map((field) => [field.name, fieldLabel(t, field)]))
  const input = inputOf(operation, values, state.present)
  const title = formTitle(
    t,
    operation,
    shown.map((name) => values[name] ?? ''),
  )
  const home = homeOf(operation, shown.length > 0 ? values[shown[0] ?? ''] : undefined)
  return kit.send(request, reply, {
    template: 'do/form',
    title,
    status: error?.status ?? 200,
    model: {
      head: {
        title,
        lede: asks ? '' : ledeOf(t, operation),
        crumbs: [{ title: kindTitle(t, operation), href: listPath(kindOf(operation)) }],
      },
      action: path`/do/${operation.name}`,
      back: state.back ?? '',
      hidden: [
        ...[...new Set([...hidden, ...kept])].map((name) => ({ name, value: values[name] ?? '' })),
        ...(state.only === undefined ? [] : [{ name: '_only', value: state.only.join(' ') }]),
        ...(state.version === undefined ? [] : [{ name: '_version', value: state.version }]),
      ],
      facts: hidden
        .filter(
          (name) =>
            !shown.includes(name) &&
            !unasked.includes(name) &&
            values[name] !== '' &&
            !operation.secret?.includes(name),
        )
        .map((name) => ({ title: labels.get(name) ?? name, text: values[name] ?? '' })),
      question: asks ? plainWords(operation.confirm ?? '') : null,
      fields: controls,
      submit: buttonTitle(t, operation),
      danger: isDestructive(operation),
      cancel: state.back ?? home,
      plan: state.plan === null ? null : planView(t, state.plan),
      problem: error === null ? null : problemView(t, error, controls),
      command: {
        line: state.isTyped || shown.length > 0 ? toCommandLine(operation, input) : usageLine(operation),
        call: apiCallText(apiCall(operation, input)),
      },
    },
  })
}

/** The same form with the boxes of a preset ticked, as far as this visitor is offered them. */
function presetsOf(
  { deps }: PageKit,
  t: Texts,
  { operation, values, back }: FormState,
  kind: AnyKind | undefined,
  field: string,
  offered: readonly Choice[] = [],
): { title: string; href: string }[] {
  const open = Object.entries(values).filter(([name]) => !operation.secret?.includes(name))
  return (kind?.presets?.[field] ?? []).flatMap(({ title, has }) => {
    const chosen = deps.operations.filter((one) => has(one) && offered.some(({ value }) => value === one.name))
    if (kind === undefined || chosen.length === 0) return []
    const ticked = { [field]: chosen.map(({ name }) => name).join('\n'), _back: back }
    const href = path`/do/${operation.name}` + query({ ...Object.fromEntries(open), ...ticked })
    return [{ title: title(wordsOf(t, kind)), href }]
  })
}

/** Who has one customer alone is not asked which. */
export function ownTenant({ session }: FastifyRequest, operation: AnyOperation): FormValues {
  const scope = session?.actor.scope
  const isAsked = operation.fields.some(({ name }) => name === 'tenant')
  return scope?.kind === 'local' && isAsked ? { tenant: scope.tenant } : {}
}

/** The page of a value that is shown once, such as a new password. */
export function sendAnswer(
  kit: PageKit,
  request: FastifyRequest,
  reply: FastifyReply,
  { operation, value, next }: { operation: AnyOperation; value: unknown; next: string },
): FastifyReply {
  const t = kit.textsOf(request)
  const title = formTitle(t, operation, [])
  const rows = shownOnce(value).map(([key, given]) => ({
    title: label(t, key),
    values: (typeof given === 'string' ? [given] : given).map(String),
  }))
  return kit.send(request, reply, {
    template: 'do/answer',
    title,
    model: { head: { title }, rows, next },
  })
}

/** Fields that name what the operation is about, once they are known: shown as facts instead of controls. */
function subject(operation: AnyOperation, values: FormValues): string[] {
  return httpBinding(operation).pathKeys.filter((key) => (values[key] ?? '') !== '')
}

/** Where to go after an operation that made no job. */
export function after(operation: AnyOperation, value: unknown): string {
  const id = isRecord(value) && typeof value.id === 'string' ? value.id : undefined
  return homeOf(operation, verbOf(operation) === 'delete' ? undefined : id)
}

function kindTitle(t: Texts, operation: AnyOperation): string {
  return t.kinds[kindOf(operation)]?.many ?? kindOf(operation)
}

/** Without its object, which stands above it. */
export function buttonTitle(t: Texts, operation: Pick<AnyOperation, 'name'>): string {
  const verb = verbOf(operation)
  const titles: Readonly<Record<string, string>> = { ...t.verbs, ...t.buttons }
  return titles[verb] ?? verb
}

/** `Delete tenant blog` */
export function formTitle(t: Texts, operation: AnyOperation, about: readonly string[]): string {
  return deed(t, operation.name, ...about)
}

function ledeOf(t: Texts, operation: AnyOperation): string {
  const own = t.kinds[kindOf(operation)]?.ledes?.[verbOf(operation)]
  return own ?? plainWords(operation.description ?? '')
}
