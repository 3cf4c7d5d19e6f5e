/**
 * How often somebody may come, by address, by person and by what is asked (threats §4). Root, who has the private socket,
 * is not counted.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Id } from '../../contract/values.ts'
import type { Actor } from '../../resources/actor.ts'
import { clientAddress } from './client-address.ts'
import { type Allowance, demandQuota, type Quota, quota, rateLimitHeaders, type Standing } from './quota.ts'
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
  /** Of all people of one tenant together. */
  const tenantReads = quota('tenant-reads', () => timesPeople(limits().reads, 1 / 3))
  const tenantWrites = quota('tenant-writes', () => timesPeople(limits().writes, 1))
  /** The quota that the answer reports: the last one that was counted. */
  const standings = new WeakMap<FastifyRequest, Standing>()

  function count(limit: CountedLimit, request: FastifyRequest, standing: Standing): void {
    standings.set(request, standing)
    if (standing.waitSeconds !== null) onRefused(limit, request)
    demandQuota(standing)
  }

  /** The person's own last: it is what the answer tells of. */
  function take(limit: CountedLimit, request: FastifyRequest, ofTenants: Quota, ofPeople: Quota): void {
    const { actor } = request
    if (actor?.kind !== 'user') return
    if (actor.scope.kind === 'local' && !actor.impersonator) count(limit, request, ofTenants.take(actor.scope.tenant))
    count(limit, request, ofPeople.take(personOf(actor)))
  }

  return {
    /** Any request at all, before it is known who comes. */
    request: (request: FastifyRequest) => count('requests', request, requests.take(sourceOf(clientAddress(request)))),
    /** A REST call that changes nothing. */
    read: (request: FastifyRequest) => take('reads', request, tenantReads, reads),
    /** A change, whichever view it comes from. */
    write: (request: FastifyRequest) => take('writes', request, tenantWrites, writes),
    /** A job for a tenant that somebody asks for. */
    job(actor: Actor, tenant: Id): void {
      if (actor.kind === 'user') demandQuota(jobs.take(tenant))
    },
    tell(request: FastifyRequest, reply: FastifyReply): void {
      const standing = standings.get(request)
      if (standing !== undefined) reply.headers(rateLimitHeaders(standing))
    },
  }
}

/** A person acting as another is counted as themselves, and all API keys of a person are one program beside them. */
function personOf({ id, key, impersonator }: Extract<Actor, { kind: 'user' }>): string {
  return key === undefined ? (impersonator?.id ?? id) : `programs of ${id}`
}

const peopleOfTenant = 3

function timesPeople(perMinute: number, share: number): Allowance {
  return { perMinute: perMinute * peopleOfTenant, burst: Math.ceil(perMinute * peopleOfTenant * share) }
}
