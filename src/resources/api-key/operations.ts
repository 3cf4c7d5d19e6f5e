/** API keys: made, looked at and ended by their owner; looked at and ended by those who manage users, too. */
import { z } from 'zod'
import { WcpError } from '../../contract/errors.ts'
import { Id } from '../../contract/values.ts'
import { AddressRanges } from '../address-ranges.ts'
import { Done } from '../answers.ts'
import { type Context, defineOperation } from '../context.ts'
import { deletedInput, Flag, listInput, pageOf } from '../listing.ts'
import { demandFeature } from '../package/features.ts'
import { badInput, notFound, taken } from '../refusals.ts'
import { listByOwner, listedOwner, ownAccount, ownOrPermitted, ownOrWeaker } from '../user/account.ts'
import { placeOf, visibleUser } from '../user/guards.ts'
import { type User, UserRef } from '../user/schema.ts'
import { ApiKey, ApiKeyName, ApiKeyRef, Scopes } from './schema.ts'
import { newToken } from './token.ts'

const target = { apiKey: ApiKeyRef }
const mostOfOne = 50

export const list = defineOperation({
  ...listByOwner,
  name: 'api-key.list',
  summary: 'List API keys',
  description: 'Without a user: your own keys. Root sees those of everybody.',
  http: 'GET /api-keys',
  columns: ['name', 'email', 'beginning', 'status', 'expiresAt', 'lastUsedAt', 'id'],
  input: () => z.strictObject({ user: UserRef.optional(), ...deletedInput, ...listInput }),
  output: () => pageOf(ApiKey),
  async run(context, { user, ...query }) {
    return context.apiKeys.list({ ...query, user: await listedOwner(context, 'api-key.list', user) })
  },
})

export const get = defineOperation({
  name: 'api-key.get',
  summary: 'Show an API key, but not its secret',
  effect: 'read',
  policy: { scopes: ['global', 'reseller', 'local'] },
  isForEveryone: true,
  http: 'GET /api-keys/{apiKey}',
  positional: ['apiKey'],
  input: () => z.strictObject(target),
  output: () => ApiKey,
  async run(context, input) {
    const deleted = (await findKey(context, input.apiKey, false)) === undefined
    return (await visibleKey(context, 'api-key.get', input.apiKey, { deleted })).key
  },
})

export const create = defineOperation({
  name: 'api-key.create',
  summary: 'Make an API key for your own account, which is shown once',
  description:
    'It may do what it names and its owner has the permission for, at each moment of its life. Operations that decide who may do what, or with which secret, are not for keys.',
  effect: 'write',
  policy: { scopes: ['global', 'reseller', 'local'], isSensitive: true },
  answersOnce: true,
  isForEveryone: true,
  stepUp: true,
  http: 'POST /users/{user}/api-keys',
  positional: ['user', 'name'],
  input: () =>
    z.strictObject({
      user: UserRef,
      name: ApiKeyName,
      scopes: Scopes,
      addresses: AddressRanges.optional(),
      signed: Flag.default(false).describe(
        'Only for signed requests (RFC 9421, hmac-sha256): the key itself never crosses the network',
      ),
      days: z
        .int({ error: 'a number from 1 to 730' })
        .min(1, { error: 'a number from 1 to 730' })
        .max(730, { error: 'a number from 1 to 730' })
        .default(90)
        .describe('Days after which it expires'),
    }),
  output: () => z.strictObject({ id: Id, token: z.string() }),
  async run(context, { name, scopes, addresses = [], signed, days, ...input }) {
    const what = `make API key "${name}"`
    const owner = await ownerFor(context, what, input.user)
    await context.users.lock(owner.id)
    if (owner.tenantId !== null) await demandFeature(context, what, await context.tenants.get(owner.tenantId), 'api')
    await demandFitting(context, what, owner, scopes)
    await demandRoom(context, what, name, owner.id)
    const id = context.newId()
    const { token, ...kept } = newToken()
    const expiresAt = new Date(Date.parse(context.now) + days * 86_400_000).toISOString()
    await context.apiKeys.insert({
      ...{ id, user: owner.id, name, ...kept, signingSecret: signed ? token : null, expiresAt },
      scopes: [...new Set(scopes)].sort(),
      addresses: [...new Set(addresses)],
    })
    return { id, token }
  },
})

export const revoke = defineOperation({
  name: 'api-key.revoke',
  summary: 'Move an API key to the trash: what uses it is refused at once',
  effect: 'write',
  policy: { scopes: ['global', 'reseller', 'local'], isSensitive: true },
  isForEveryone: true,
  http: 'DELETE /api-keys/{apiKey}',
  positional: ['apiKey'],
  input: () => z.strictObject(target),
  output: () => Done,
  async run(context, input) {
    const { key, owner } = await visibleKey(context, 'api-key.revoke', input.apiKey)
    await ownOrWeaker(context, 'api-key.revoke', `revoke API key "${key.name}"`, owner.id)
    await context.apiKeys.remove(key.id)
    return { id: key.id }
  },
})

export const restore = defineOperation({
  name: 'api-key.restore',
  summary: 'Bring an API key of your own back from the trash: it works again until it expires',
  effect: 'write',
  policy: { scopes: ['global', 'reseller', 'local'], isSensitive: true },
  isForEveryone: true,
  stepUp: true,
  http: 'POST /api-keys/{apiKey}/restore',
  positional: ['apiKey'],
  input: () => z.strictObject(target),
  output: () => Done,
  async run(context, input) {
    const { key, owner } = await visibleKey(context, 'api-key.restore', input.apiKey, { deleted: true })
    const what = `restore API key "${key.name}"`
    await ownerFor(context, what, owner.id)
    await context.users.lock(owner.id)
    await demandRoom(context, what, key.name, owner.id)
    await context.apiKeys.restore(key.id)
    return { id: key.id }
  },
})

async function demandRoom({ apiKeys }: Context, what: string, name: string, owner: Id): Promise<void> {
  if (await apiKeys.find(name, owner)) taken(what, 'name', name, 'a name that none of your keys has')
  if ((await apiKeys.count(owner)) >= mostOfOne)
    throw new WcpError('limit_reached', `Cannot ${what}: there are ${mostOfOne} already`, {
      help: 'Revoke what is not used any more; "wcp api-key list" shows when each was used.',
    })
}

/** Root, who could sign in as anybody, also makes keys for others: for programs that are set up with the machine. */
async function ownerFor(context: Context, what: string, user: string): Promise<User> {
  return context.actor.kind === 'root' ? await visibleUser(context, user) : await ownAccount(context, what, user)
}

/** A stranger's key is not there, in the words of what does not exist. */
async function visibleKey(
  context: Context,
  operation: string,
  ref: string,
  { deleted } = { deleted: false },
): Promise<{ key: ApiKey; owner: User }> {
  const key = (await findKey(context, ref, deleted)) ?? notFound('API key', ref)
  const owner = await ownOrPermitted(context, operation, key.userId).catch(() => notFound('API key', ref))
  return { key, owner }
}

function findKey({ apiKeys, actor }: Context, ref: string, deleted: boolean): Promise<ApiKey | undefined> {
  return apiKeys.find(ref, actor.kind === 'user' ? actor.id : null, { deleted })
}

/** Each is an operation that a key may be used for, and one that its owner may use. */
async function demandFitting({ users, policies }: Context, what: string, owner: User, scopes: readonly string[]) {
  const held = await users.permissions(owner.id)
  const wrong = scopes.flatMap((name, place) => {
    const policy = policies.get(name)
    const field = `scopes.${place}`
    if (policy === undefined) return [{ field, problem: `"${name}" is no operation`, accepted: 'names of operations' }]
    if (policy.isSensitive)
      return [
        { field, problem: `"${name}" is not for keys`, accepted: 'operations that change no account and no right' },
      ]
    const isHeld = (held === 'all' || held.has(name)) && policy.scopes.includes(placeOf(owner))
    return isHeld
      ? []
      : [{ field, problem: `"${name}" is not permitted to the owner`, accepted: 'permissions of the owner' }]
  })
  if (wrong.length > 0) badInput(what, ...wrong)
}
