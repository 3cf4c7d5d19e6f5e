/** Asks PAM about root's password in a short-lived child, so that a module's crash, delay or leak stays outside the daemon. */
import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import { WcpError } from '../../contract/errors.ts'
import type { Log } from '../log.ts'
import { execOk } from './exec.ts'
import { selfCommand } from './self-command.ts'

/** The child's input, one JSON object, and its answer. */
export const PamRequest = z.strictObject({
  service: z.literal('wcp360'),
  user: z.literal('root'),
  password: z
    .string()
    .min(1)
    .max(1024)
    .refine((text) => !text.includes('\0')),
  from: z.string().max(64),
})
export type PamRequest = z.infer<typeof PamRequest>

export const PamAnswer = z.strictObject({
  ok: z.boolean(),
  /** How far it came; where it failed, for the log. */
  stage: z.enum(['start', 'authenticate', 'account', 'done']),
  reason: z.string().max(200),
})
export type PamAnswer = z.infer<typeof PamAnswer>

/** Every failure takes so long: a locked account is answered 40 ms sooner than a wrong password. */
const failureMs = 1000
/** An overloaded machine takes seconds to start the child; the panel asks no longer than 50 s. */
const longestCheckMs = 40_000

/**
 * True only if PAM says yes to the password and to the account. A child that crashes or is late lets nobody in either (B14),
 * but says nothing about the password: that throws `unavailable`.
 */
export async function verifyRootByPam(
  password: string,
  from: string,
  log: Log,
  timeoutMs = longestCheckMs,
): Promise<boolean> {
  const since = performance.now()
  const answer = await askChild(password, from, timeoutMs)
  if (answer.ok) return true
  log.warn({ from, stage: answer.stage, reason: answer.reason }, "root's password was refused")
  await pause(Math.max(0, failureMs - (performance.now() - since)))
  return false
}

async function askChild(password: string, from: string, timeoutMs: number): Promise<PamAnswer> {
  const request = PamRequest.safeParse({ service: 'wcp360', user: 'root', password, from })
  if (!request.success) return { ok: false, stage: 'start', reason: 'not a password PAM can be asked about' }
  try {
    const [file, ...argv] = selfCommand('pam')
    const { stdout } = await execOk(file, argv, { input: JSON.stringify(request.data), timeoutMs })
    return PamAnswer.parse(JSON.parse(stdout))
  } catch (cause) {
    throw new WcpError('unavailable', 'Cannot check the password of root: PAM did not answer', {
      help: 'Try again in a moment; "journalctl -u wcpd" tells why.',
      cause,
    })
  }
}
