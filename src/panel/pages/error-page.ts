/** An error as a page: the same words that the API and the command line use. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { WcpError } from '../../contract/errors.ts'
import { plainWords } from '../../lib/plain-words.ts'
import { path } from '../../lib/safe-url.ts'
import type { PageKit } from './page-kit.ts'

export function errorPage(kit: PageKit, error: WcpError, request: FastifyRequest, reply: FastifyReply): string {
  const t = kit.textsOf(request)
  const titles: Readonly<Record<number, string>> = t.error.titles
  const title = titles[error.status] ?? t.error.titles[500]
  const job = error.details.job
  const home = request.session === null ? { title: t.error.back, href: '/login' } : { title: t.error.home, href: '/' }
  const model = {
    status: error.status,
    code: error.code,
    title,
    message: plainWords(error.message),
    help: plainWords(error.help),
    actions: [...(job === undefined ? [] : [{ title: t.job.see, href: path`/jobs/${job}` }]), home],
    request: error.status >= 500 ? request.id : null,
  }
  // The frame of the page has forms of its own, once somebody is signed in.
  const csrf = request.session === null ? '' : kit.deps.auth.formToken(request, reply)
  return kit.page(request, { template: 'error/error', title, model }, csrf)
}
