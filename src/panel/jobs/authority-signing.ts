/** The root side's part of a talk with a certification authority, asked over the link. */
import { z } from 'zod'
import { SignedRequest } from '../../contract/acme.ts'
import type { Signing } from '../../resources/certificate/acme-client.ts'
import type { AgentLink } from './agent-link.ts'

const timeoutMs = 10_000

export function authoritySigning(link: Pick<AgentLink, 'ask'>): Signing {
  return {
    sign: (request) => link.ask({ t: 'acme', request }, SignedRequest, timeoutMs),
    prove: (token, isThere) => link.ask({ t: 'prove', token, isThere }, z.null(), timeoutMs),
  }
}
