/** Sessions as the pages of an account show them. */
import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { clientName } from '../../lib/client-name.ts'
import { Session } from '../../resources/session/schema.ts'
import type { PageKit } from './page-kit.ts'

export interface SessionRow extends Session {
  /** `Firefox on Linux` */
  readonly client: string
  readonly current: boolean
}

/** The newest fifty; nothing for a visitor who may not see those of this user. */
export async function sessionRows(kit: PageKit, request: FastifyRequest, user: string): Promise<readonly SessionRow[]> {
  const { value } = await kit.run(request, 'session.list', { user, limit: 50 })
  const { items } = z.object({ items: z.array(Session) }).parse(value)
  return items.map((session) => ({
    ...session,
    client: clientName(session.agent),
    current: session.id === request.session?.id,
  }))
}
