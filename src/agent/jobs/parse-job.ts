/** A job as the panel names it, parsed by the contract of its type (B4, B5). */
import type { z } from 'zod'
import { WcpError } from '../../contract/errors.ts'
import { type JobTarget, parsePayload } from '../../contract/job.ts'
import type { Failure } from '../../contract/wire.ts'
import { provisioners } from '../kinds/index.ts'
import type { AnyProvisioner } from '../kinds/provisioner.ts'
import { failureOf } from './failure.ts'
import { isJobType } from './run-job.ts'

export type ParsedJob = { provisioner: AnyProvisioner; payload: JobTarget } | { failure: Failure }

export function parseJob(type: string, raw: unknown): ParsedJob {
  if (!isJobType(type)) return { failure: badInput(`Cannot do "${type}": there is no such job`) }
  const provisioner = provisioners[type]
  const parsed = parsePayload(provisioner.contract, raw)
  if (!parsed.success) return { failure: badInput(`Cannot do "${type}": ${said(parsed.error)}`) }
  return { provisioner, payload: parsed.data }
}

function said(error: z.ZodError): string {
  const issue = error.issues[0]
  return issue === undefined ? 'the payload is wrong' : `${issue.path.join('.') || 'payload'}: ${issue.message}`
}

function badInput(message: string): Failure {
  return failureOf(new WcpError('bad_input', message), null)
}
