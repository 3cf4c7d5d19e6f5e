/** Signing in as a person does, by the form of the network's door. */
import { fetchPage, signInByForm } from '../support/pages.ts'
import type { World } from './world.ts'

const email = 'fault@example.org'
const password = 'a long enough river'

/** An administrator is made at the first call, which needs a store that takes it. */
export async function makeAdministrator({ product }: World): Promise<void> {
  await product.call('POST', '/users', { email, password, role: 'system_admin' })
}

/** Whether the form leads in. */
export async function signedIn(world: World): Promise<boolean> {
  return (await session(world)) !== undefined
}

/** The cookie of a new session; undefined when the form did not lead in. */
export async function session({ product }: World): Promise<string | undefined> {
  return await signInByForm(product.ports.panel, { email, password })
}

/** Status of a page for the session of a cookie. */
export async function visitPage({ product }: World, path: string, cookie: string): Promise<number> {
  return (await fetchPage(product.ports.panel, path, { cookie })).status
}
