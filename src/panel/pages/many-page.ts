/** The pages of a change of several things: what is asked once for all, the plan of each, and what has become of each. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { WcpError } from '../../contract/errors.ts'
import { httpBinding } from '../../contract/operation.ts'
import type { Id } from '../../contract/values.ts'
import { toCommandLine } from '../../lib/command-spec.ts'
import type { Badge, Command, Fact } from '../../lib/page-model.ts'
import { plainWords } from '../../lib/plain-words.ts'
import { path, query } from '../../lib/safe-url.ts'
import { label, type Texts } from '../../lib/texts.ts'
import { wordsOf } from '../../resources/kind.ts'
import { type PlanView, planView } from './diff-lines.ts'
import { type Control, formControls } from './form-fields.ts'
import { addressOf, bulkTitle, inputFor, type Many, type One, type Planned, type Result } from './many.ts'
import type { PageKit } from './page-kit.ts'
import { isDestructive } from './places.ts'
import { problemView } from './problem-view.ts'
import { referenceChoices } from './reference-choices.ts'

export interface ManyState {
  readonly many: Many
  /** The list that it came from. */
  readonly back: string
  readonly things: readonly One[]
  /** null: what is the same for all is asked first. */
  readonly planned: readonly Planned[] | null
  readonly batch: string | null
  readonly error: WcpError | null
}

/** Changes that a page shows of all plans together; the rest is behind a link for each. */
const mostShown = 100

export async function sendMany(
  kit: PageKit,
  request: FastifyRequest,
  reply: FastifyReply,
  { many, back, things, planned, batch, error }: ManyState,
): Promise<FastifyReply> {
  const t = kit.textsOf(request)
  const { operation, kind, bulk, values } = many
  const left = planned === null ? things : planned.flatMap((one) => ('plan' in one ? [one.one] : []))
  const controls = planned === null && things.length > 0 ? await controlsOf(kit, request, many, error) : []
  return kit.send(request, reply, {
    template: 'many',
    title: titleOf(t, many, things.length),
    status: error?.status ?? 200,
    model: {
      head: headOf(t, many, things.length),
      problem: error === null ? null : problemView(t, error, controls),
      action: path`/many/${kind.name}`,
      hidden: [
        { name: '_verb', value: bulk.verb },
        { name: '_back', value: back },
        { name: '_of', value: left.map(({ id }) => id).join('.') },
        ...(planned === null ? [] : Object.entries(values).map(([name, value]) => ({ name, value }))),
        ...(planned === null || batch === null ? [] : [{ name: '_batch', value: batch }]),
      ],
      question: planned !== null && left.length > 0 ? t.many.sure : null,
      facts: planned === null ? [] : factsOf(t, values),
      fields: controls,
      things: planned === null ? things.map(({ title }) => title).join(', ') : null,
      planned: planned?.map((one) => plannedView(t, many, one, Math.max(2, Math.floor(mostShown / planned.length)))),
      note: noteOf(t, things.length, left.length),
      submit:
        left.length === 0
          ? null
          : planned === null
            ? t.form.plan
            : `${bulkTitle(t, bulk)} (${t.format.number(left.length)})`,
      danger: planned !== null && isDestructive(operation),
      cancel: back,
      command: commandOf(many, left),
    },
  })
}

function titleOf(t: Texts, { kind, bulk }: Many, count: number): string {
  const words = wordsOf(t, kind)
  return `${bulkTitle(t, bulk)} · ${t.format.number(count)} ${count === 1 ? words.one : words.many.toLowerCase()}`
}

function headOf(t: Texts, many: Many, count: number): object {
  const { kind } = many
  return { title: titleOf(t, many, count), crumbs: [{ title: wordsOf(t, kind).many, href: kind.path }] }
}

function noteOf(t: Texts, all: number, left: number): string | null {
  if (all === 0) return t.many.nothing
  if (left === 0) return t.many.noneLeft
  return left < all ? t.many.leftOut : null
}

async function controlsOf(
  kit: PageKit,
  request: FastifyRequest,
  { operation, bulk, values }: Many,
  error: WcpError | null,
): Promise<Control[]> {
  const { asks = [] } = bulk
  const fields = operation.fields.map((field) =>
    bulk.verb === 'update' && asks.includes(field.name) ? { ...field, required: true } : field,
  )
  const without = new Set(fields.flatMap(({ name }) => (asks.includes(name) ? [] : [name])))
  const choices = await referenceChoices(kit, request, operation)
  return formControls(operation, { t: kit.textsOf(request), values, error, choices, fields, without, unenforced: [] })
}

function factsOf(t: Texts, values: Many['values']): Fact[] {
  return Object.entries(values)
    .filter(([, value]) => value !== '')
    .map(([name, text]) => ({ title: label(t, name), text }))
}

interface PlannedView {
  readonly title: string
  readonly href: string | null
  readonly badge: Badge | null
  readonly why: string | null
  /** What the panel itself would store, and who would gain or lose rights. */
  readonly changes: readonly string[]
  /** What the jobs would do on the machine. */
  readonly machine: { readonly title: string; readonly changes: readonly string[] } | null
  readonly more: string | null
}

function plannedView(t: Texts, many: Many, planned: Planned, most: number): PlannedView {
  const { title, href } = planned.one
  if ('error' in planned) {
    const badge = { text: t.many.refusedNow, tone: 'bad' } as const
    return { title, href, badge, why: whyOf(planned.error), changes: [], machine: null, more: null }
  }
  const views = planView(t, planned.plan)
  const changesOf = (isStored: boolean) =>
    views.flatMap(({ changes }, at) => ((planned.plan[at]?.type === 'store') === isStored ? changes : []))
  const [stored, onMachine] = [changesOf(true), changesOf(false)]
  const changes = stored.slice(0, most).map((change) => sentenceOf(t, change))
  const steps = onMachine.filter(({ action }) => action !== 'same')
  const shown = steps
    .slice(0, Math.max(1, most - changes.length))
    .map((change) => sentenceOf(t, { ...change, lines: [] }))
  const isCut = changes.length < stored.length || shown.length < steps.length || steps.some(hasLines)
  const count = steps.length === 1 ? t.many.oneStep : `${t.format.number(steps.length)} ${t.many.steps}`
  return {
    title,
    href,
    badge: null,
    why: stored.length + steps.length === 0 ? t.plan.same : null,
    changes,
    machine: steps.length === 0 ? null : { title: `${t.many.machine} ${count}`, changes: shown },
    more: isCut ? formOf(many, planned.one) : null,
  }
}

/** `change customer bakery: status: active → suspended` */
function sentenceOf(t: Texts, { action, step, lines }: PlanView['changes'][number]): string {
  const said = `${t.plan.actions[action]} ${step}`
  const parts = new Map<string, { from?: string; to?: string }>()
  for (const { text } of lines) {
    const [, sign, key = '', value = ''] = /^([-+]) ?([^:]*):? ?(.*)$/.exec(text) ?? []
    if (sign === undefined) continue
    parts.set(key, { ...parts.get(key), ...(sign === '-' ? { from: value } : { to: value }) })
  }
  const told = [...parts].map(([key, { from, to }]) => {
    if (from === undefined) return to === '' ? key : `${key}: ${to}`
    return `${key}: ${from} → ${to ?? '–'}`
  })
  return told.length === 0 ? said : `${said}: ${told.join('; ')}`
}

function hasLines({ lines }: PlanView['changes'][number]): boolean {
  return lines.length > 0
}

/** The form of the same change of this one alone, whose plan is whole. */
function formOf({ operation, values }: Many, { ref }: One): string {
  const [key = ''] = httpBinding(operation).pathKeys
  return path`/do/${operation.name}` + query({ [key]: ref, ...values })
}

function whyOf({ message, help, fields }: WcpError): string {
  return [message, fields.length > 0 ? '' : help]
    .filter((part) => part !== '')
    .map(plainWords)
    .join('. ')
}

interface Results {
  readonly many: Many
  readonly back: string
  readonly results: readonly Result[]
}

export function sendResults(
  kit: PageKit,
  request: FastifyRequest,
  reply: FastifyReply,
  { many, back, results }: Results,
): FastifyReply {
  const t = kit.textsOf(request)
  const missed = results.filter((one) => !('jobIds' in one)).map(({ one }) => one.id)
  const again = { title: t.many.again, href: addressOf(many, missed, back) }
  const done = results.flatMap((one) => ('jobIds' in one ? [one.one] : []))
  return kit.send(request, reply, {
    template: 'detail',
    title: titleOf(t, many, results.length),
    model: {
      head: {
        ...headOf(t, many, results.length),
        actions: [...(missed.length > 0 ? [again] : []), { title: t.many.back, href: back, main: true }],
      },
      sections: [
        {
          title: t.many.result,
          empty: t.many.nothing,
          table: {
            caption: t.many.result,
            columns: [
              { title: wordsOf(t, many.kind).many },
              { title: t.many.outcome },
              { title: t.many.why },
              { title: label(t, 'job'), hidden: true },
            ],
            rows: results.map((result) => {
              const [badge, why, job] = outcomeOf(t, result)
              const { title, href } = result.one
              return [
                { text: title, ...(href !== null && { href }) },
                { badge },
                { text: why },
                job === undefined ? { text: '' } : { text: t.job.see, href: path`/jobs/${job}`, label: title },
              ]
            }),
          },
        },
      ],
      command: commandOf(many, done.length > 0 ? done : results.map(({ one }) => one)),
    },
  })
}

function outcomeOf(t: Texts, result: Result): readonly [Badge, string, Id | undefined] {
  if ('isLate' in result) return [{ text: t.many.refused, tone: 'bad' }, t.many.notBegun, undefined]
  if ('error' in result) return [{ text: t.many.refused, tone: 'bad' }, whyOf(result.error), undefined]
  const [job] = result.jobIds
  if (job === undefined) return [{ text: t.many.done, tone: 'good' }, '', undefined]
  return [{ text: t.many.underWay, tone: 'busy' }, '', job]
}

/** One line for each. */
function commandOf(many: Many, things: readonly One[]): Command | null {
  if (things.length === 0) return null
  const lines = things.map(({ ref }) => toCommandLine(many.operation, inputFor(many, ref)))
  return { line: lines.join('\n'), call: '' }
}
