/** The tools that all routes of the pages share: calling operations as the visitor, and sending a page in its frame. */
import { createHash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { WcpError } from '../../contract/errors.ts'
import type { AnyOperation } from '../../contract/operation.ts'
import { type Texts, textsFor } from '../../lib/texts.ts'
import { asset } from '../../program/assets.ts'
import type { Outcome, PanelDeps, Session } from '../http/types.ts'
import { menuFor } from './menu.ts'
import { type Frame, renderPage } from './view.ts'

export interface PageKit {
  readonly deps: PanelDeps
  readonly stylesheet: string
  /** The words of pages, for their visitor. */
  textsOf(request: FastifyRequest): Texts
  operation(name: string): AnyOperation
  may(request: FastifyRequest, name: string): boolean
  run(request: FastifyRequest, name: string, input: Record<string, unknown>): Promise<Outcome<unknown>>
  /** The whole document. `request.session` may be null. */
  page(request: FastifyRequest, page: Page, csrf?: string): string
  send(request: FastifyRequest, reply: FastifyReply, page: Page & { readonly status?: number }): FastifyReply
}

export interface Page {
  /** Below `templates/pages`. */
  readonly template: string
  readonly title: string
  readonly model: object
  /** The page is sent piece by piece: what surrounds it goes first. */
  readonly isLive?: boolean
}

function visitorOf({ actor, expiresAt }: Session): Frame['visitor'] {
  const { email: name, impersonator } = actor
  return { name, acting: impersonator === undefined ? null : { by: impersonator.email, until: expiresAt } }
}

export function createPageKit(deps: PanelDeps, texts: Texts): PageKit {
  const byName = new Map(deps.operations.map((operation) => [operation.name, operation]))
  const stylesheet = `/assets/${createHash('sha256').update(asset('styles.css')).digest('hex').slice(0, 16)}.css`
  const host = deps.baseUrl === null ? null : new URL(deps.baseUrl).hostname

  const kit: PageKit = {
    deps,
    stylesheet,
    textsOf: ({ session }) => textsFor(texts, session?.display ?? null),
    operation(name) {
      const found = byName.get(name)
      if (found === undefined) throw new WcpError('not_found', `Cannot find operation "${name}"`)
      return found
    },
    may(request, name) {
      const operation = byName.get(name)
      return operation !== undefined && deps.mayCall(request.actor, operation)
    },
    run: (request, name, input) => deps.run(request, kit.operation(name), input),
    page(request, { template, title, model, isLive = false }, csrf = '') {
      const t = kit.textsOf(request)
      const frame: Frame = {
        title,
        host,
        version: deps.version,
        stylesheet,
        visitor: request.session && visitorOf(request.session),
        menu: menuFor(t, { url: request.url, actor: request.actor, may: (name) => kit.may(request, name) }),
        menuFirst: isLive,
        csrf,
        flash: deps.flash.take(request),
      }
      return renderPage(t, template, { ...model, csrf }, frame)
    },
    send(request, reply, page) {
      const csrf = deps.auth.formToken(request, reply)
      return reply
        .code(page.status ?? 200)
        .type('text/html; charset=utf-8')
        .send(kit.page(request, page, csrf))
    },
  }
  return kit
}
