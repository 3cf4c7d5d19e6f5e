/** Other things as the visitor of a kind's page may see them; the rest is left out. */
import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { asWcpError } from '../../contract/errors.ts'
import { fieldNamed } from '../../contract/fields.ts'
import { kinds } from '../../resources/index.ts'
import { type AnyKind, type Look, tableOf, wordsOf } from '../../resources/kind.ts'
import type { PageKit } from './page-kit.ts'

/** @param about the kind of the page, where another one's part of it is made */
export function lookOf(kit: PageKit, request: FastifyRequest, kind: AnyKind, about = kind.name): Look {
  const t = kit.textsOf(request)
  const may = (operation: string) => kit.may(request, operation)
  const ask = async (name: string, input: Readonly<Record<string, unknown>>) =>
    (await kit.run(request, name, input)).value

  const look: Look = {
    t,
    words: wordsOf(t, kind),
    visitor: request.session?.actor ?? null,
    may,
    unenforced: kit.deps.agent.unenforced,
    one: async (name, input, schema) =>
      may(name)
        ? orUnseen(
            ask(name, input).then((value) => schema.parse(value)),
            null,
          )
        : null,
    async some(name, input, item) {
      if (!may(name)) return []
      const { input: accepted } = kit.operation(name)
      if (Object.keys(input).some((key) => fieldNamed(accepted, key) === undefined)) return []
      const page = z.object({ items: z.array(item) })
      return orUnseen(
        ask(name, input).then((value) => page.parse(value).items),
        [],
      )
    },
    async table(name, input) {
      const listed = kinds.find((one) => one.name === name)
      if (listed?.item === undefined) throw new Error(`Cannot list "${name}": there is no such kind with items`)
      const items = input === null ? [] : await look.some(`${name}.list`, input, listed.item)
      return tableOf(listed, t, items, about)
    },
  }
  return look
}

/** Operations that everybody has for themselves, and some for others, are left out where they are not for this visitor. */
async function orUnseen<T, F>(asked: Promise<T>, otherwise: F): Promise<T | F> {
  try {
    return await asked
  } catch (error) {
    const { code } = asWcpError(error)
    if (code === 'not_found' || code === 'forbidden') return otherwise
    throw error
  }
}
