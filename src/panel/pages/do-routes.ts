/**
 * `/do/<operation>`: every operation that changes something as a form, derived from its input. GET shows it, filled from
 * the query and from what is stored; POST runs it, plans it, or asks the question of a dangerous one first.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { asWcpError, WcpError } from '../../contract/errors.ts'
import { isRecord } from '../../contract/fields.ts'
import { type AnyOperation, httpBinding, kindOf, verbOf } from '../../contract/operation.ts'
import { toCommandLine, usageLine } from '../../lib/command-spec.ts'
import { path, query } from '../../lib/safe-url.ts'
import { label } from '../../lib/texts.ts'
import type { JobPlan } from '../http/types.ts'
import { versionOf } from '../operations/versions.ts'
import { apiCall, apiCallText } from './api-call.ts'
import { planView } from './diff-lines.ts'
import { type Choice, fieldLabel, formControls } from './form-fields.ts'
import { type FormValues, formValues, inputOf, isChanged, valuesFrom } from './form-values.ts'
import { homeOf, isDestructive, listPath } from './places.ts'
import { problemView } from './problem-view.ts'
import { referenceChoices } from './reference-choices.ts'
import type { Site } from './site.ts'

interface FormState {
  readonly operation: AnyOperation
  readonly values: FormValues
  /** What a change began with. */
  readonly present: FormValues | null
  /** Of what the form showed when it was opened: so two people who change the same do not overwrite each other unseen. */
  readonly version: string | undefined
  readonly back: string | undefined
  /** The command line names the values; before anybody typed, it shows the usage. */
  readonly isTyped: boolean
  readonly asks: boolean
  readonly plan: readonly JobPlan[] | null
  readonly error: WcpError | null
}

interface Route {
  Params: { operation: string }
}

export function doRoutes(app: FastifyInstance, site: Site): void {
  const { deps, t } = site

  app.get<Route>('/do/:operation', { config: { access: 'session' } }, async (request, reply) => {
    const operation = changing(site, request.params.operation)
    if (!site.may(request, operation.name)) throw notPermitted(operation)
    if (operation.stepUp && !deps.isFresh(request)) return leadToConfirm(reply, request.url)
    const back = asText(request.query, '_back')
    const given = formValues(request.query)
    const present = await presentValues(site, request, operation, given)
    const values = { ...present, ...given }
    const asks = operation.confirm !== undefined && isComplete(operation, values)
    return form(request, reply, {
      operation,
      values,
      present,
      version: asText(request.query, '_version') ?? (present === null ? undefined : versionOf(present)),
      back,
      isTyped: asks,
      asks,
      plan: null,
      error: null,
    })
  })

  app.post<Route>('/do/:operation', { config: { access: 'session' } }, async (request, reply) => {
    const operation = changing(site, request.params.operation)
    const values = formValues(request.body)
    const present = await presentValues(site, request, operation, values)
    const input = inputOf(operation, values, present)
    const isConfirmed = operation.confirm === undefined || asText(request.body, '_confirm') === 'yes'
    const back = asText(request.body, '_back')
    const version = asText(request.body, '_version')
    const state = { operation, values, present, version, back, isTyped: true, asks: false, plan: null, error: null }
    try {
      if (asText(request.body, '_do') === 'plan') {
        const plan = await deps.plan(request, operation, input)
        return form(request, reply, { ...state, asks: operation.confirm !== undefined && isConfirmed, plan })
      }
      if (!isConfirmed) return form(request, reply, { ...state, asks: true })
      const { value, jobIds } = await deps.run(request, operation, input, {
        ...(version !== undefined && {
          precondition: (now: unknown) => versionOf(valuesFrom(operation, now)) === version,
        }),
      })
      if (operation.answersOnce && secretsOf(value).length > 0) return answer(request, reply, state, value)
      const [job] = jobIds
      deps.flash.put(
        request,
        'good',
        `${formTitle(site, operation, [])}: ${job === undefined ? t.form.done : t.form.queued}.`,
      )
      return reply.redirect(job === undefined ? (state.back ?? after(operation, value)) : path`/jobs/${job}`, 303)
    } catch (thrown) {
      const error = asWcpError(thrown)
      if (error.code === 'step_up_needed') return leadToConfirm(reply, urlOf(state))
      // What has no form to go back to is an error page.
      if (error.code === 'internal' || error.code === 'forbidden') throw thrown
      if (error.code === 'precondition_failed' && present !== null)
        return form(request, reply, {
          ...state,
          version: versionOf(present),
          error: changedMeanwhile(operation, values, present),
        })
      return form(request, reply, { ...state, error })
    }
  })

  function answer(request: FastifyRequest, reply: FastifyReply, { operation, back }: FormState, value: unknown) {
    const title = formTitle(site, operation, [])
    const rows = secretsOf(value).map(([key, given]) => ({
      title: label(t, key),
      values: (Array.isArray(given) ? given : [given]).map(String),
    }))
    return site.send(request, reply, {
      template: 'do/answer',
      title,
      model: { head: { title }, rows, next: back ?? after(operation, value) },
    })
  }

  async function form(request: FastifyRequest, reply: FastifyReply, state: FormState): Promise<FastifyReply> {
    const { operation, values, asks, error } = state
    const shown = subject(operation, values)
    const hidden = asks ? Object.keys(values) : shown
    const choices: ReadonlyMap<string, readonly Choice[]> = asks
      ? new Map()
      : await referenceChoices(site, request, operation)
    const without = new Set([...hidden, ...(site.may(request, 'reseller.list') ? [] : ['reseller'])])
    const controls = formControls(operation, { t, values, error, choices, without })
    const labels = new Map(operation.fields.map((field) => [field.name, fieldLabel(t, field)]))
    const input = inputOf(operation, values, state.present)
    const title = formTitle(
      site,
      operation,
      shown.map((name) => values[name] ?? ''),
    )
    const home = homeOf(operation, shown.length > 0 ? values[shown[0] ?? ''] : undefined)
    return site.send(request, reply, {
      template: 'do/form',
      title,
      status: error?.status ?? 200,
      model: {
        head: {
          title,
          lede: asks ? '' : (operation.description ?? ''),
          crumbs: [{ title: kindTitle(site, operation), href: listPath(kindOf(operation)) }],
        },
        action: path`/do/${operation.name}`,
        back: state.back ?? '',
        hidden: [
          ...hidden.map((name) => ({ name, value: values[name] ?? '' })),
          ...(state.version === undefined ? [] : [{ name: '_version', value: state.version }]),
        ],
        facts: hidden
          .filter((name) => !shown.includes(name) && values[name] !== '' && !operation.secret?.includes(name))
          .map((name) => ({ title: labels.get(name) ?? name, text: values[name] ?? '' })),
        question: asks ? operation.confirm : null,
        fields: controls,
        submit: verbTitle(site, operation),
        danger: isDestructive(operation),
        canPlan: operation.effect === 'machine',
        cancel: state.back ?? home,
        plan: state.plan === null ? null : planView(state.plan),
        problem: error === null ? null : problemView(t, error, controls),
        command: {
          line: state.isTyped || shown.length > 0 ? toCommandLine(operation, input) : usageLine(operation),
          call: apiCallText(apiCall(operation, input)),
        },
      },
    })
  }
}

/** What is shown once; an answer may well have none, such as when a link was mailed. */
function secretsOf(value: unknown): [string, unknown][] {
  return Object.entries(isRecord(value) ? value : {}).filter(([key, given]) => key !== 'id' && given !== null)
}

function leadToConfirm(reply: FastifyReply, url: string): FastifyReply {
  return reply.redirect(`/confirm${query({ next: url })}`, 303)
}

/** The form as it is now, without what must not stand in an address. */
function urlOf({ operation, values, version, back }: FormState): string {
  const open = Object.entries(values).filter(([name]) => !operation.secret?.includes(name))
  return path`/do/${operation.name}` + query({ ...Object.fromEntries(open), _version: version, _back: back })
}

/** Names what the form would overwrite; sent once more, it does. */
function changedMeanwhile(operation: AnyOperation, values: FormValues, present: FormValues): WcpError {
  const differing = operation.fields.filter(
    ({ name }) => !operation.secret?.includes(name) && isChanged(name, values, present),
  )
  return new WcpError('precondition_failed', 'Cannot save: somebody else changed it after you opened this form', {
    help: 'Open the form again to see it as it is now.',
    fields: differing.map(({ name }) => ({
      field: name,
      problem: `is "${present[name] ?? ''}" now`,
      accepted: 'what this form says, when you send it once more',
    })),
  })
}

function changing(site: Site, name: string): AnyOperation {
  const operation = site.operation(name)
  if (operation.effect === 'read')
    throw new WcpError('not_found', `Cannot show a form for "${name}": it changes nothing`)
  return operation
}

/** Fields that name what the operation is about, once they are known: shown as facts instead of controls. */
function subject(operation: AnyOperation, values: FormValues): string[] {
  return httpBinding(operation).pathKeys.filter((key) => (values[key] ?? '') !== '')
}

/** What may be said and was not asked yet, such as a note, is asked before the question. */
function isComplete(operation: AnyOperation, values: FormValues): boolean {
  return operation.fields.every(({ name, required }) => {
    const value = values[name]
    return value !== undefined && !(required && value === '')
  })
}

/** For a change: what is stored now; null for everything else. */
async function presentValues(
  site: Site,
  request: FastifyRequest,
  operation: AnyOperation,
  values: FormValues,
): Promise<FormValues | null> {
  const [key] = httpBinding(operation).pathKeys
  const get = `${kindOf(operation)}.get`
  // Who may not change it is told so by the change itself, which also records it.
  if (!site.may(request, operation.name)) return null
  if (verbOf(operation) !== 'update' || key === undefined || values[key] === undefined || !site.may(request, get))
    return null
  const { value } = await site.run(request, get, { [key]: values[key] })
  return valuesFrom(operation, value)
}

function notPermitted({ name }: AnyOperation): WcpError {
  return new WcpError('forbidden', `Cannot show a form for "${name}": you may not use it, or not now`)
}

/** Where to go after an operation that made no job. */
function after(operation: AnyOperation, value: unknown): string {
  const id = isRecord(value) && typeof value.id === 'string' ? value.id : undefined
  return homeOf(operation, verbOf(operation) === 'delete' ? undefined : id)
}

function kindTitle({ t }: Site, operation: AnyOperation): string {
  return t.kinds[kindOf(operation)]?.many ?? kindOf(operation)
}

function verbTitle({ t }: Site, operation: AnyOperation): string {
  const titles: Readonly<Record<string, string>> = t.verbs
  return titles[verbOf(operation)] ?? verbOf(operation)
}

/** `Delete tenant blog` */
function formTitle(site: Site, operation: AnyOperation, about: readonly string[]): string {
  const noun = site.t.kinds[kindOf(operation)]?.one ?? kindOf(operation)
  return [verbTitle(site, operation), noun, ...about].join(' ')
}

/** One text of a form or query; a path of this panel in `_back`, nothing else. */
function asText(from: unknown, name: string): string | undefined {
  const value = isRecord(from) ? from[name] : undefined
  if (typeof value !== 'string' || value === '') return undefined
  return name !== '_back' || (/^\/[\w./?=&%-]*$/.test(value) && !value.startsWith('//')) ? value : undefined
}
