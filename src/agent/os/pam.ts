/** Asks PAM about root's password in a short-lived child, so that a module's crash, delay or leak stays outside the daemon. */
import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import type { Log } from '../engine-api.ts'
import { exec } from './exec.ts'
import { selfCommand } from './self-command.ts'

/** What the child reads, one JSON object, and answers. */
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
const timeoutMs = 10_000

/** True only if PAM says yes to the password and to the account; a child that crashes or is late is a no (B14). */
export async function verifyRootByPam(password: string, from: string, log: Log): Promise<boolean> {
  const since = performance.now()
  const answer = await askChild(password, from).catch((error: unknown) => failed(error))
  if (answer.ok) return true
  log.warn({ from, stage: answer.stage, reason: answer.reason }, "root's password was refused")
  await pause(Math.max(0, failureMs - (performance.now() - since)))
  return false
}

async function askChild(password: string, from: string): Promise<PamAnswer> {
  const request = PamRequest.safeParse({ service: 'wcp360', user: 'root', password, from })
  if (!request.success) return { ok: false, stage: 'start', reason: 'not a password PAM can be asked about' }
  const [file, ...argv] = selfCommand('pam')
  const { code, stdout } = await exec(file, argv, { input: JSON.stringify(request.data), timeoutMs })
  if (code !== 0) return { ok: false, stage: 'start', reason: `the check ended with exit code ${code}` }
  return PamAnswer.parse(JSON.parse(stdout))
}

function failed(error: unknown): PamAnswer {
  return { ok: false, stage: 'start', reason: error instanceof Error ? error.message : 'the check failed' }
}
