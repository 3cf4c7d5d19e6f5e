/** To whom something new belongs: staff may name a reseller, what a reseller makes is his own. */
import type { Id } from '../../contract/values.ts'
import type { Context } from '../context.ts'
import { badInput } from '../refusals.ts'
import { ownReseller, scopeOf } from '../visibility.ts'

/** @returns null: it belongs to the panel itself */
export async function chooseSeller(context: Context, what: string, ref: string | null | undefined): Promise<Id | null> {
  const { actor, resellers } = context
  if (ref === undefined) return ownReseller(actor)
  const found = ref === null ? undefined : await resellers.find(ref, { scope: scopeOf(actor) })
  if (found !== undefined) return found.id
  if (ref === null && ownReseller(actor) === null) return null
  return badInput(what, {
    field: 'reseller',
    problem: 'does not exist',
    accepted: 'the id or the e-mail address of a reseller',
  })
}
