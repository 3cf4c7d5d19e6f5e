/** The record by which somebody shows that the DNS of a name obeys him. */
import { createHmac } from 'node:crypto'

const label = '_wcp360-challenge'

/** Host names have no underscore: nobody serves a site under it. */
export function challengeName(name: string): string {
  return `${label}.${name}`
}

/** Names above this length have no room for the label before them (RFC 1035: 253 characters). */
export const longestProvable = 253 - label.length - 1

/** The same for the same tenant and name for ever, and known to nobody who has not been shown it. */
export function challengeValue(key: Uint8Array, tenantId: string, name: string): string {
  return `wcp360-proof=${createHmac('sha256', key).update(`${tenantId}/${name}`).digest('base64url')}`
}
