/** Whether a form that gives a role asks for a customer: roles that reach one need it, others have none. */
import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { fieldNamed } from '../../contract/fields.ts'
import { type AnyOperation, verbOf } from '../../contract/operation.ts'
import { Role } from '../../resources/role/schema.ts'
import type { FormValues } from './form-values.ts'
import type { PageKit } from './page-kit.ts'

/** `open`: it depends on the role, which is not chosen yet. */
export type PlaceOfRole = 'needed' | 'none' | 'open'

const RolePage = z.object({ items: z.array(Role) })

/** null: the form gives no role. */
export async function placeOfRole(
  kit: PageKit,
  request: FastifyRequest,
  operation: AnyOperation,
  values: FormValues,
): Promise<PlaceOfRole | null> {
  const gives = ['role', 'tenant'].every((name) => fieldNamed(operation.input, name) !== undefined)
  if (!gives || verbOf(operation) === 'update') return null
  if (!kit.may(request, 'role.list')) return 'open'
  const roles = RolePage.parse((await kit.run(request, 'role.list', { limit: 200 })).value).items
  const chosen = roles.filter(({ id, name }) => [id, name].includes(values.role ?? ''))
  const scopes = new Set((chosen.length > 0 ? chosen : roles).map(({ scope }) => scope))
  if (!scopes.has('local')) return 'none'
  return scopes.size === 1 ? 'needed' : 'open'
}
