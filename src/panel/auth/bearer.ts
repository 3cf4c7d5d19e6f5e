/** Credentials in an `Authorization: Bearer` header (RFC 6750 §2.1): an API key, or an access token. */
import type { FastifyRequest } from 'fastify'
import { WcpError } from '../../contract/errors.ts'
import { clientAddress } from '../http/client-address.ts'
import type { AccessTokens } from './access-tokens.ts'
import type { ApiKeys, Program } from './api-keys.ts'
import { signedRequest } from './signed-requests.ts'

export interface Programs {
  /** @throws `not_signed_in` */
  identify(token: string, request: FastifyRequest): Promise<Program>
  /** undefined for a request without a signature. */
  identifySigned(request: FastifyRequest): Promise<Program | undefined>
}

/** A JWT has dots, a key has none. */
export function programs(apiKeys: ApiKeys, accessTokens: AccessTokens): Programs {
  return {
    identify: (token, request) =>
      token.includes('.') ? accessTokens.identify(token, request) : apiKeys.identify(token, clientAddress(request)),
    async identifySigned(request) {
      const signed = signedRequest(request)
      return signed && (await apiKeys.identifySigned(signed, clientAddress(request)))
    },
  }
}

/** undefined for a request without the header. @throws `not_signed_in` for another scheme, and for two at once */
export function bearerToken(header: string | undefined): string | undefined {
  if (header === undefined) return undefined
  const [, token] = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i.exec(header) ?? []
  if (token === undefined)
    throw new WcpError('not_signed_in', 'Cannot read the header "Authorization"', {
      help: 'Send "Authorization: Bearer", and an API key or an access token.',
    })
  return token
}
