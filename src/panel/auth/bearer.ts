/** The token of an `Authorization: Bearer` header (RFC 6750 §2.1). */
import { WcpError } from '../../contract/errors.ts'

/** undefined for a request without the header. @throws `not_signed_in` for another scheme, and for two at once */
export function bearerToken(header: string | undefined): string | undefined {
  if (header === undefined) return undefined
  const [, token] = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i.exec(header) ?? []
  if (token === undefined)
    throw new WcpError('not_signed_in', 'Cannot read the header "Authorization"', {
      help: 'Send "Authorization: Bearer" and the key.',
    })
  return token
}
