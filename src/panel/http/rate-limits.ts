/**
 * How often somebody may come, by address, by person and by what is asked (threats §4). Root, who has the private socket,
 * is not counted.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Id } from '../../contract/values.ts'
import type { Actor } from '../../resources/actor.ts'
import { clientAddress } from './client-address.ts'
import { demandQuota, quota, rateLimitHeaders, type Standing } from './quota.ts'
import { sourceOf } from './source.ts'

/** Each a minute. */
export interface RateLimitNumbers {
  readonly requests: number
  readonly reads: number
  readonly writes: number
  readonly jobs: number
}

/** Of requests; a refused job is a refusal of the operation that wanted it. */
export type CountedLimit = 'requests' | 'reads' | 'writes'

export type RateLimits = ReturnType<typeof rateLimits>

/** @param onRefused hears of each request that has to wait */
export function rateLimits(
  limits: () => RateLimitNumbers,
  onRefused: (limit: CountedLimit, request: FastifyRequest) => void,
) {
  const requests = quota('requests', () => ({ perMinute: limits().requests, burst: Math.ceil(limits().requests / 4) }))
  const reads = quota('reads', () => ({ perMinute: limits().reads, burst: Math.ceil(limits().reads / 3) }))
  const writes = quota('writes', () => ({ perMinute: limits().writes, burst: limits().writes }))
  const jobs = quota('jobs', () => ({ perMinute: limits().jobs, burst: limits().jobs }))
  /** What the answer tells: the last one that was counted. */
  const standings = new WeakMap<FastifyRequest, Standing>()

  function count(limit: CountedLimit, request: FastifyRequest, standing: Standing): void {
    standings.set(request, standing)
    if (standing.waitSeconds !== null) onRefused(limit, request)
    demandQuota(standing)
  }

  return {
    /** Any request at all, before it is known who comes. */
    request: (request: FastifyRequest) => count('requests', request, requests.take(sourceOf(clientAddress(request)))),
    /** A REST call that changes nothing. */
    read: (request: FastifyRequest) => each(request.actor, (who) => count('reads', request, reads.take(who))),
    /** A change, whichever view it comes from. */
    write: (request: FastifyRequest) => each(request.actor, (who) => count('writes', request, writes.take(who))),
    /** A job for a tenant that somebody asks for. */
    job: (actor: Actor, tenant: Id) => each(actor, () => demandQuota(jobs.take(tenant))),
    tell(request: FastifyRequest, reply: FastifyReply): void {
      const standing = standings.get(request)
      if (standing !== undefined) reply.headers(rateLimitHeaders(standing))
    },
  }
}

/** Each API key is counted for itself, and who acts as another as who they are. */
function each(actor: Actor | null, work: (who: Id) => void): void {
  if (actor?.kind === 'user') work((actor.key ?? actor.impersonator ?? actor).id)
}
