/** The panel's side of the emergency tests: run as the panel's user, so that no file of its state is made by root. */
import { Id, TenantName } from '../../src/contract/values.ts'
import { passwordHasher } from '../../src/panel/auth/password.ts'
import { withStore } from '../../src/panel/rescue/store.ts'
import { jobContracts } from '../../src/resources/jobs.ts'
import { newId } from '../../src/store/new-id.ts'

interface Wish {
  readonly where: string
  readonly panelKey: string
  readonly email: string
  readonly password: string
  readonly tenant: string
  readonly name: string
}

const deeds = {
  /** A tenant as the panel knows it after its creation. */
  tenant: ({ tenant, name, ...store }: Wish) =>
    withStore(store, ({ change, now }) =>
      change(async ({ tenants, packages }, tx) => {
        const id = Id.parse(tenant)
        const { id: packageId } = (await packages.findDefault(null)) ?? { id: newId() }
        await tenants.insert({ id, name: TenantName.parse(name), packageId, ownerId: null, resellerId: null })
        await tx.updateTable('tenants').set({ status: 'active', version: 1, updated_at: now }).execute()
        return null
      }),
    ),

  /** Suspended, with a second factor and a session. */
  lockOut: ({ email, ...store }: Wish) =>
    withStore(store, ({ change, now }) =>
      change(async ({ users, totp }, tx) => {
        const { id } = await users.get(email)
        await users.setStatus(id, 'suspended')
        await totp.begin(id, Buffer.from('a secret'))
        const times = {
          created_at: now,
          updated_at: now,
          last_seen_at: now,
          expires_at: now,
          idle_until: now,
          confirmed_at: now,
        }
        const session = {
          id: newId(),
          token_hash: 'x',
          user_id: id,
          kind: 'user',
          ip: '::1',
          user_agent: '',
          factor: 'none',
          ...times,
        }
        await tx.insertInto('sessions').values(session).execute()
        return null
      }),
    ),

  mayLogin: ({ email, password, ...store }: Wish) =>
    withStore(store, ({ change }) =>
      change(async ({ users }) => {
        const known = await users.credentials(email)
        const { ok } = await passwordHasher().verify(['root'], password, known?.passwordHash ?? null)
        return ok && known?.maySignIn === true
      }),
    ),

  /** A job that waits for the daemon. */
  queue: ({ tenant, ...store }: Wish) =>
    withStore(store, ({ change }) =>
      change(async ({ jobs }) => {
        const by = { id: newId(), actor: 'root', actorId: null, isStaff: true }
        return (await jobs.enqueue(jobContracts['tenant.unsuspend'], { tenant: Id.parse(tenant) }, by)).id
      }),
    ),

  state: (store: Wish) =>
    withStore(store, ({ change }) =>
      change(async ({ audit }, tx) => ({
        tenants: await tx.selectFrom('tenants').select(['name', 'status', 'version']).execute(),
        holds: await tx.selectFrom('holds').select(['level', 'actor']).execute(),
        jobs: await tx.selectFrom('jobs').select(['type', 'state', 'token']).orderBy('sequence').execute(),
        sessions: (await tx.selectFrom('sessions').select('id').execute()).length,
        audit: (await audit.list({ limit: 50 })).items.map(({ actor, action }) => `${actor} ${action}`),
        verdict: (await audit.verify([])).ok,
      })),
    ),
} satisfies Record<string, (wish: Wish) => Promise<unknown>>

export type Deed = keyof typeof deeds

const [, , deed = '', wish = ''] = process.argv
process.umask(0o077)
process.stdout.write(JSON.stringify(await deeds[deed as Deed](JSON.parse(wish)))) // what the test beside this file says
