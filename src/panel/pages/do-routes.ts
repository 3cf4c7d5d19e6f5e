/**
 * `/do/<operation>`: every operation that changes something as a form, derived from its input. GET shows it, filled from
 * the query and from what is stored; POST runs it, plans it, or asks the question of a dangerous one first.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { asWcpError, WcpError } from '../../contract/errors.ts'
import { isRecord } from '../../contract/fields.ts'
import { type AnyOperation, httpBinding, kindOf, verbOf } from '../../contract/operation.ts'
import { path, query } from '../../lib/safe-url.ts'
import { shownOnce } from '../../lib/shown-once.ts'
import { versionOf } from '../operations/versions.ts'
import { after, type FormState, formTitle, ownTenant, sendAnswer, sendForm } from './do-form.ts'
import { type FormValues, formValues, inputOf, isChanged, valuesFrom } from './form-values.ts'
import type { PageKit } from './page-kit.ts'

interface Route {
  Params: { operation: string }
}

export function doRoutes(app: FastifyInstance, kit: PageKit): void {
  const { deps } = kit

  app.get<Route>('/do/:operation', { config: { access: 'session' } }, async (request, reply) => {
    const operation = changing(kit, request.params.operation)
    if (!kit.may(request, operation.name)) throw notPermitted(operation)
    if (operation.stepUp && !deps.isFresh(request)) return leadToConfirm(reply, request.url)
    const back = asText(request.query, '_back')
    const given = formValues(request.query)
    const present = await presentValues(kit, request, operation, given)
    const values = { ...ownTenant(request, operation), ...present, ...given }
    const asks = operation.confirm !== undefined && isComplete(operation, values)
    return sendForm(kit, request, reply, {
      operation,
      values,
      present,
      version: asText(request.query, '_version') ?? (present === null ? undefined : versionOf(present)),
      back,
      only: onlyFields(request.query, present),
      isTyped: asks,
      asks,
      plan: null,
      error: null,
    })
  })

  app.post<Route>('/do/:operation', { config: { access: 'session' } }, async (request, reply) => {
    const operation = changing(kit, request.params.operation)
    const values = formValues(request.body)
    const present = await presentValues(kit, request, operation, values)
    const input = inputOf(operation, values, present)
    const isConfirmed = operation.confirm === undefined || asText(request.body, '_confirm') === 'yes'
    const back = asText(request.body, '_back')
    const version = asText(request.body, '_version')
    const only = onlyFields(request.body, present)
    const state = {
      operation,
      values,
      present,
      version,
      back,
      only,
      isTyped: true,
      asks: false,
      plan: null,
      error: null,
    }
    try {
      if (asText(request.body, '_do') === 'plan') {
        const plan = await deps.plan(request, operation, input)
        return sendForm(kit, request, reply, { ...state, asks: operation.confirm !== undefined && isConfirmed, plan })
      }
      if (!isConfirmed) return sendForm(kit, request, reply, { ...state, asks: true })
      const { value, jobIds } = await deps.run(request, operation, input, {
        ...(version !== undefined &&
          operation.isOutside === undefined && {
            precondition: (now: unknown) => versionOf(valuesFrom(operation, now)) === version,
          }),
      })
      const [job] = jobIds
      const next = job === undefined ? (state.back ?? after(operation, value)) : path`/jobs/${job}`
      if (operation.answersOnce && shownOnce(value).length > 0)
        return sendAnswer(kit, request, reply, { operation, value, next })
      const t = kit.textsOf(request)
      deps.flash.put(
        request,
        'good',
        (job === undefined ? t.kinds[kindOf(operation)]?.done?.[verbOf(operation)] : undefined) ??
          `${formTitle(t, operation, [])}: ${job === undefined ? t.form.done : t.form.queued}.`,
      )
      return reply.redirect(next, 303)
    } catch (thrown) {
      const error = asWcpError(thrown)
      if (error.code === 'step_up_needed') return leadToConfirm(reply, urlOf(state))
      // An error without a form to go back to becomes an error page.
      if (error.code === 'internal' || error.code === 'forbidden') throw thrown
      if (error.code === 'precondition_failed' && present !== null)
        return sendForm(kit, request, reply, {
          ...state,
          version: versionOf(present),
          error: changedMeanwhile(operation, values, present),
        })
      return sendForm(kit, request, reply, { ...state, error })
    }
  })
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

function changing(kit: PageKit, name: string): AnyOperation {
  const operation = kit.operation(name)
  if (operation.effect === 'read')
    throw new WcpError('not_found', `Cannot show a form for "${name}": it changes nothing`)
  if (operation.bytes === 'body')
    throw new WcpError('not_found', `Cannot show a form for "${name}": it has its own page`)
  return operation
}

/** Optional fields that were not asked yet, such as a note, are asked before the question. */
function isComplete(operation: AnyOperation, values: FormValues): boolean {
  return operation.fields.every(({ name, required }) => {
    const value = values[name]
    return value !== undefined && !(required && value === '')
  })
}

/** For a change: what is stored now; null for everything else. */
async function presentValues(
  kit: PageKit,
  request: FastifyRequest,
  operation: AnyOperation,
  values: FormValues,
): Promise<FormValues | null> {
  const [key] = httpBinding(operation).pathKeys
  const get = `${kindOf(operation)}.get`
  // A visitor without the right is refused by the change itself, which also records it.
  if (!kit.may(request, operation.name)) return null
  if (verbOf(operation) !== 'update' || key === undefined || values[key] === undefined || !kit.may(request, get))
    return null
  const names = kit.operation(get).fields.flatMap(({ name, required }) => (required || name === key ? [name] : []))
  const { value } = await kit.run(request, get, Object.fromEntries(names.map((name) => [name, values[name]])))
  return valuesFrom(operation, value)
}

function notPermitted({ name }: AnyOperation): WcpError {
  return new WcpError('forbidden', `Cannot show a form for "${name}": you may not use it, or not now`)
}

/** Names of fields, where the form is one of a change: the others are sent as they are stored. */
function onlyFields(from: unknown, present: FormValues | null): readonly string[] | undefined {
  return present === null ? undefined : asText(from, '_only')?.split(' ')
}

/** One text of a form or query; a path of this panel in `_back`, nothing else. */
function asText(from: unknown, name: string): string | undefined {
  const value = isRecord(from) ? from[name] : undefined
  if (typeof value !== 'string' || value === '') return undefined
  return name !== '_back' || (/^\/[\w./?=&%-]*$/.test(value) && !value.startsWith('//')) ? value : undefined
}
