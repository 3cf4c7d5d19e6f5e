/** A way back in for administrators: a new password, or a new account in a store that has lost the last one. */
import { z } from 'zod'
import { WcpError } from '../../contract/errors.ts'
import type { StoreAnswer, StoreRequest } from '../../contract/rescue.ts'
import type { Stores } from '../../resources/stores.ts'
import { Password, refuseEmailAsPassword } from '../../resources/user/password.ts'
import { Email, type User } from '../../resources/user/schema.ts'
import type { Db } from '../../store/database.ts'
import { newId } from '../../store/new-id.ts'
import { insertDefaultPackage } from '../auth/bootstrap.ts'
import { passwordHasher } from '../auth/password.ts'
import { badInput } from '../operations/field-errors.ts'
import { record } from './record.ts'
import type { OpenStore } from './store.ts'

type Person = Extract<StoreRequest, { do: 'reset-password' | 'create-admin' }>
type Answer = Extract<StoreAnswer, { of: 'person' }>

/** Everything that keeps the user out is taken away, and told. */
export async function resetPassword({ change, now }: OpenStore, request: Person): Promise<Answer> {
  const { email, password } = parsed(request)
  const hash = await passwordHasher().hash(['root'], password)
  return change(async (stores, tx) => {
    const user = await stores.users.find(email)
    if (user === undefined) throw unknown(email)
    await stores.users.setPasswordHash(user.id, hash)
    const did = [
      `The password of ${email} is set.`,
      ...(await endSessions(stores, tx, user)),
      ...(await liftSuspension(stores, user)),
      ...(await removeTotp(stores, user)),
      ...(await removeCertificates(stores, user)),
    ]
    await record(stores, { now, verb: request.do, metadata: { user: user.id, email, did } })
    return { of: 'person', did, next: await stillClosed(stores, user) }
  })
}

export async function createAdmin({ change, now }: OpenStore, request: Person): Promise<Answer> {
  const { email, password } = parsed(request)
  const hash = await passwordHasher().hash(['root'], password)
  return change(async (stores) => {
    if ((await stores.users.countAdmins()) > 0) {
      throw new WcpError('conflict', 'Cannot make another administrator in an emergency: there is one already', {
        help: 'Give that one a new password with "wcp emergency reset-password".',
      })
    }
    if ((await stores.users.find(email)) !== undefined) {
      throw new WcpError('conflict', `Cannot make the administrator "${email}": a user has that address`, {
        help: 'Take another address, or "wcp emergency reset-password" if that user is the suspended administrator.',
      })
    }
    const id = newId()
    await stores.users.insert({ id, email, passwordHash: hash, role: 'system_admin', tenantId: null })
    await insertDefaultPackage(stores)
    await record(stores, { now, verb: request.do, metadata: { user: id, email } })
    return { of: 'person', did: [`The administrator ${email} is made.`], next: [] }
  })
}

const Account = z.strictObject({ email: Email, password: Password })

/** The rules of every other password. */
function parsed({ email, password }: Person) {
  const result = Account.safeParse({ email, password })
  if (!result.success) throw badInput(result.error, { email, password }, ['email', 'password'])
  refuseEmailAsPassword('set the password', result.data.email, result.data.password)
  return result.data
}

function unknown(email: string): WcpError {
  return new WcpError('not_found', `Cannot find a user "${email}" outside of the trash`, {
    help: 'Where no administrator is left, "wcp emergency create-admin" makes one.',
  })
}

async function endSessions(stores: Stores, tx: Db, { id }: User): Promise<string[]> {
  const { count } = await tx
    .selectFrom('sessions')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('user_id', '=', id)
    .executeTakeFirstOrThrow()
  await stores.users.endSessions(id)
  return [count === 0 ? 'There was no session to end.' : `Sessions ended: ${count}.`]
}

async function liftSuspension(stores: Stores, { id, status }: User): Promise<string[]> {
  if (status === 'active') return []
  await stores.users.setStatus(id, 'active')
  await stores.holds.liftAll({ kind: 'user', id })
  return ['The account was suspended and is active again.']
}

async function removeTotp(stores: Stores, { id }: User): Promise<string[]> {
  if (!(await stores.totp.remove(id))) return []
  return ['The second factor was removed; set it up again after signing in.']
}

async function removeCertificates(stores: Stores, { id }: User): Promise<string[]> {
  const count = await stores.clientCertificates.removeAllOf(id)
  return count === 0 ? [] : [`Client certificates removed: ${count}; register them again after signing in.`]
}

/** Obstacles outside of the account, left to a person. */
async function stillClosed(stores: Stores, user: User): Promise<string[]> {
  const known = await stores.users.credentials(user.id)
  if (known?.maySignIn !== false) return []
  return user.tenantName === null
    ? ['This user belongs to no tenant and cannot sign in until an administrator gives it one.']
    : [`The tenant "${user.tenantName}" is closed: this user cannot sign in before it is opened again.`]
}
