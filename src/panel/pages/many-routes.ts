/**
 * `/many/<kind>`: one change of several things of a list. GET asks what is the same for all, or shows the plan of each;
 * POST shows that plan, or makes the changes, one ordinary operation after the other, and tells what has become of each.
 */
import { randomUUID } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { asWcpError, WcpError } from '../../contract/errors.ts'
import { isRecord } from '../../contract/fields.ts'
import { Id } from '../../contract/values.ts'
import { query } from '../../lib/safe-url.ts'
import { addressOf, inputFor, type Many, manyOf, type One, type Planned, type Result, seenOne } from './many.ts'
import { sendMany, sendResults } from './many-page.ts'
import type { PageKit } from './page-kit.ts'

interface Route {
  Params: { kind: string }
}

/** Well below the time that an answer may take; those that are left are told. */
const longestMs = 40_000

export function manyRoutes(app: FastifyInstance, kit: PageKit): void {
  const { deps } = kit
  const config = { access: 'session' } as const

  app.get<Route>('/many/:kind', { config }, async (request, reply) => {
    const many = permitted(kit, request, manyOf(kit, request.params.kind, request.query))
    const back = backOf(request.query, many)
    if (many.operation.stepUp && !deps.isFresh(request)) return leadToConfirm(reply, many, back)
    const isAsked = many.bulk.asks !== undefined
    return isAsked ? ask(request, reply, many, back) : showPlan(request, reply, many, back)
  })

  app.post<Route>('/many/:kind', { config }, async (request, reply) => {
    const many = permitted(kit, request, manyOf(kit, request.params.kind, request.body))
    const back = backOf(request.body, many)
    const missing = missingOf(many)
    if (missing !== null) return ask(request, reply, many, back, missing)
    const batch = Id.safeParse(isRecord(request.body) ? request.body._batch : undefined).data
    if (batch === undefined || many.ids.length === 0) return showPlan(request, reply, many, back)
    if (many.operation.stepUp && !deps.isFresh(request)) return leadToConfirm(reply, many, back)
    deps.countBatch(request, many.ids.length)
    return sendResults(kit, request, reply, { many, back, results: await runEach(request, many, batch) })
  })

  async function ask(request: FastifyRequest, reply: FastifyReply, many: Many, back: string, error?: WcpError) {
    const things = await thingsOf(request, many)
    return sendMany(kit, request, reply, { many, back, things, planned: null, batch: null, error: error ?? null })
  }

  async function showPlan(request: FastifyRequest, reply: FastifyReply, many: Many, back: string) {
    deps.countBatch(request, many.ids.length)
    const things = await thingsOf(request, many)
    const planned: Planned[] = []
    for (const one of things) planned.push(await planOf(request, many, one))
    // a field that is wrong is wrong for all of them
    const wrong = planned.find((one) => 'error' in one && one.error.code === 'bad_input')
    const error = wrong !== undefined && 'error' in wrong && many.bulk.asks !== undefined ? wrong.error : null
    const shown = error === null ? planned : null
    return sendMany(kit, request, reply, { many, back, things, planned: shown, batch: randomUUID(), error })
  }

  async function thingsOf(request: FastifyRequest, { kind, ids }: Many): Promise<One[]> {
    const seen: One[] = []
    for (const id of ids) {
      const one = await seenOne(kit, request, kind, id)
      if (one !== null) seen.push(one)
    }
    return seen
  }

  async function planOf(request: FastifyRequest, many: Many, one: One): Promise<Planned> {
    try {
      return { one, plan: await deps.plan(request, many.operation, inputFor(many, one.id), { ofBatch: true }) }
    } catch (error) {
      return { one, error: told(error) }
    }
  }

  /** One that failed by a fault of ours hides none of the others. */
  function told(thrown: unknown): WcpError {
    const error = asWcpError(thrown)
    if (error.code === 'internal') deps.log.error({ err: thrown }, 'one of several changes failed')
    return error
  }

  /** Sent once more, as by loading the page again, each is answered as it was before. */
  async function runEach(request: FastifyRequest, many: Many, batch: Id): Promise<Result[]> {
    const until = performance.now() + longestMs
    const results: Result[] = []
    for (const one of await thingsOf(request, many)) {
      if (performance.now() > until) results.push({ one, isLate: true })
      else results.push(await runOne(request, many, one, `${batch} ${one.id}`))
    }
    return results
  }

  async function runOne(request: FastifyRequest, many: Many, one: One, idempotencyKey: string): Promise<Result> {
    try {
      const terms = { ofBatch: true, idempotencyKey } as const
      const { jobIds } = await deps.run(request, many.operation, inputFor(many, one.id), terms)
      return { one, jobIds }
    } catch (error) {
      return { one, error: told(error) }
    }
  }
}

function permitted(kit: PageKit, request: FastifyRequest, many: Many): Many {
  const { name } = many.operation
  if (kit.may(request, name)) return many
  throw new WcpError('forbidden', `Cannot use "${name}" for several at once: you may not use it, or not now`)
}

/** Of a change without anything to change. */
function missingOf({ bulk, values }: Many): WcpError | null {
  const [first] = bulk.asks ?? []
  if (bulk.verb !== 'update' || first === undefined || Object.values(values).some((value) => value !== '')) return null
  return new WcpError('bad_input', 'Cannot change them: nothing is chosen', {
    fields: [{ field: first, problem: 'is missing', accepted: 'one of the list' }],
  })
}

function leadToConfirm(reply: FastifyReply, many: Many, back: string): FastifyReply {
  return reply.redirect(`/confirm${query({ next: addressOf(many, many.ids, back) })}`, 303)
}

/** The list that it came from; nothing else of this panel, and nobody else's. */
function backOf(from: unknown, { kind }: Many): string {
  const given = isRecord(from) ? from._back : undefined
  const isList = typeof given === 'string' && given.length <= 900 && /^\/[\w\-./?=&%+]*$/.test(given)
  return isList && given.split('?')[0] === kind.path ? given : kind.path
}
