/**
 * Sends the sealed end of the root side's audit log to another machine. The panel carries it because the root side speaks
 * to no network; it cannot forge it, and keeping it back is seen there as silence.
 */
import { once } from 'node:events'
import { request } from 'node:https'
import type { Logger } from 'pino'
import type { AuditHead } from '../../contract/wire.ts'

export interface HeadSenderOptions {
  /** null: nowhere. */
  readonly url: () => string | null
  /** Address of this panel, as the receiver will know it. */
  readonly from: () => string
  readonly log: Logger
  readonly everyMs?: number
  /** PEM of whom to trust, instead of what Node trusts. */
  readonly ca?: string
}

const timeoutMs = 15_000

export function headSender({ url, from, log, everyMs = 600_000, ca }: HeadSenderOptions) {
  let newest: AuditHead | null = null
  let sentSeq = -1
  let isSending = false
  let timer: NodeJS.Timeout | null = null

  async function send(): Promise<void> {
    const to = url()
    if (isSending || to === null || newest === null || newest.seq === sentSeq) return
    const head = newest
    isSending = true
    try {
      await post(to, { panel: from(), head }, ca)
      sentSeq = head.seq
    } catch (err) {
      log.error({ err }, 'the end of the audit log could not be sent')
    } finally {
      isSending = false
    }
  }

  return {
    /** The first one goes at once; later ones not more often than every so many minutes, the newest of them. */
    told(head: AuditHead): void {
      newest = head
      if (timer !== null) return
      void send()
      timer = setInterval(() => void send(), everyMs).unref()
    },
    close(): void {
      if (timer) clearInterval(timer)
    },
  }
}

/** Only a 2xx counts as received; redirects are not followed. */
async function post(url: string, value: unknown, ca: string | undefined): Promise<void> {
  const body = JSON.stringify(value)
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
  const call = request(url, { method: 'POST', headers, agent: false, signal: AbortSignal.timeout(timeoutMs), ca })
  const answered = once(call, 'response')
  call.end(body)
  const [response] = await answered
  response.resume()
  if (response.statusCode < 200 || response.statusCode > 299)
    throw new Error(`it was answered with ${response.statusCode}`)
}
