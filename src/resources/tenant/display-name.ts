/** The name by which people know a tenant: free text, which can change, beside the Linux name, which cannot. */
import type { Id } from '../../contract/values.ts'
import { Line } from '../../contract/values.ts'
import type { Context } from '../context.ts'
import { badInput, taken } from '../refusals.ts'

export const DisplayName = Line.normalize('NFC')
  .min(1, { error: '1 to 100 characters' })
  .max(100, { error: '1 to 100 characters' })
  .describe('Name for people, such as "Company-A GmbH"; no other tenant has it')

/** What is the same for people is the same here: letters of either case and width, however they are spaced. */
export function displayKey(name: string): string {
  return name
    .normalize('NFKC')
    .replaceAll(/\p{Cf}/gu, '')
    .replaceAll(/\s+/gu, ' ')
    .trim()
    .toLowerCase()
}

/** Holds the name until the transaction ends. @param own the tenant that may have it already */
export async function refuseTakenName(
  { tenants }: Pick<Context, 'tenants'>,
  what: string,
  name: string,
  own?: Id,
): Promise<void> {
  const key = displayKey(name)
  const accepted = 'a name that no other tenant has'
  if (key === '') badInput(what, { field: 'displayName', problem: 'has nothing to be seen', accepted })
  await tenants.lock(`called ${key}`)
  const holder = await tenants.called(key)
  if (holder !== undefined && holder !== own) taken(what, 'displayName', name, accepted)
}
