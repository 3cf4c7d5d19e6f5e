/** Signs what is sent, as Standard Webhooks 1.0.0 has it (standardwebhooks.com): HMAC-SHA256 over id, moment and body. */
import { createHmac } from 'node:crypto'

export interface SignedMessage {
  readonly id: string
  /** Seconds since 1970. */
  readonly timestamp: number
  readonly body: string
}

export function signedHeaders(secret: Uint8Array, { id, timestamp, body }: SignedMessage): Record<string, string> {
  const mac = createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64')
  return { 'webhook-id': id, 'webhook-timestamp': String(timestamp), 'webhook-signature': `v1,${mac}` }
}
