/** A client that writes down what it asked for and what it was told, for the history checker. */
import { WcpError } from '../../src/contract/errors.ts'
import type { Product } from '../support/product.ts'
import type { ClientEvent } from './history.ts'

export interface Request {
  readonly method: 'POST' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly body?: Readonly<Record<string, unknown>>
}

/** `unknown`: nobody knows whether the request was heard. */
export type Outcome = { readonly job: string | null } | 'refused' | 'unknown'

/** Several may ask at once and write into the same record. */
export async function ask(product: Product, record: ClientEvent[], asked: Request): Promise<Outcome> {
  const { method, path, body } = asked
  const request = String(record.length)
  record.push({ at: 'submit', request, wishes: wishesOf(asked) })
  try {
    const answer = (await product.call(method, path, body)) as Acknowledgement
    const jobs = [answer.jobId, answer.domain?.jobId].filter((one) => one != null)
    record.push({ at: 'acknowledge', request, jobs })
    return { job: answer.jobId ?? null }
  } catch (error) {
    // the panel's socket, or the panel itself, may have gone after the request was heard
    const isRefused = error instanceof WcpError && error.code !== 'unavailable' && error.code !== 'internal'
    record.push({ at: isRefused ? 'refuse' : 'lose', request })
    return isRefused ? 'refused' : 'unknown'
  }
}

/** The jobs that a request may become, as the history checker names them. */
function wishesOf({ method, path, body = {} }: Request): readonly string[] {
  const [, kinds = '', name = '', verb = ''] = path.split('/')
  const kind = kinds.replace(/s$/, '')
  if (method === 'DELETE') return [`${kind}.delete ${name}`]
  if (method === 'PATCH') return [`${kind === 'tenant' ? 'tenant.limit' : 'domain.update'} ${name}`]
  if (verb !== '') return [`${kind}.${verb === 'upload' ? 'update' : verb} ${name}`]
  if (kind === 'certificate') return [`certificate.create ${body.domain}`]
  const created = `${kind}.create ${body.name ?? body.fqdn}`
  return body.domain === undefined ? [created] : [created, `domain.create ${body.domain}`]
}

interface Acknowledgement {
  readonly jobId?: string | null
  readonly domain?: { readonly jobId: string } | null
}
