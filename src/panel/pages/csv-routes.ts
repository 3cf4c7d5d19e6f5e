/** A list as a file for spreadsheets, narrowed as its page is: all of it, not one page. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { WcpError } from '../../contract/errors.ts'
import { csv } from '../../lib/csv.ts'
import { kinds } from '../../resources/index.ts'
import type { AnyKind } from '../../resources/kind.ts'
import { inputIn } from './list-routes.ts'
import type { PageKit } from './page-kit.ts'
import { isSavedAsCsv } from './saved-as-csv.ts'

/** Read in pieces of this many; the file is made in memory. */
const atOnce = 200
const mostRows = 10_000

const Rows = z.object({ items: z.array(z.record(z.string(), z.unknown())), nextCursor: z.string().nullable() })

export function csvRoutes(app: FastifyInstance, kit: PageKit): void {
  for (const kind of kinds) if (isSavedAsCsv(kind)) file(app, kit, kind)
}

function file(app: FastifyInstance, kit: PageKit, kind: AnyKind): void {
  app.get<{ Querystring: Readonly<Record<string, string | undefined>> }>(
    `${kind.path}.csv`,
    { config: { access: 'session' } },
    async (request, reply) => {
      const operation = kit.operation(`${kind.name}.list`)
      const { columns = [] } = operation
      const { cursor: _, ...narrowing } = inputIn(operation, request.query)
      const rows: Record<string, unknown>[] = []
      let cursor: string | null = null
      do {
        const asked = { ...narrowing, limit: atOnce, ...(cursor !== null && { cursor }) }
        const page: z.output<typeof Rows> = Rows.parse((await kit.run(request, operation.name, asked)).value)
        rows.push(...page.items)
        cursor = page.nextCursor
      } while (cursor !== null && rows.length < mostRows)
      if (cursor !== null) throw tooMany()
      return reply
        .type('text/csv; charset=utf-8')
        .header('content-disposition', `attachment; filename="${kind.path.slice(1)}.csv"`)
        .send(csv(columns, rows))
    },
  )
}

function tooMany(): WcpError {
  return new WcpError('conflict', `Cannot save more than ${mostRows} rows as CSV`, {
    help: 'Narrow the list, or read it page by page from the API.',
  })
}
