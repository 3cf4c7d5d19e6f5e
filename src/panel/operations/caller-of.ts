/** The caller of the operation that a request runs. */
import type { FastifyRequest } from 'fastify'
import { clientAddress } from '../http/client-address.ts'
import type { Caller } from './admit.ts'

export function callerOf(request: FastifyRequest): Caller {
  const { actor, session, proof } = request
  return {
    actor,
    session: session ?? proof,
    requestId: request.id,
    ip: actor?.kind === 'root' ? null : clientAddress(request),
  }
}
