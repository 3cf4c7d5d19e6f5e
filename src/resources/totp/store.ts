/** Authenticator apps and recovery codes in the panel's database. */
import type { Id } from '../../contract/values.ts'
import { openText, sealText } from '../../lib/sealed-text.ts'
import type { Db } from '../../store/database.ts'
import type { StoreTools } from '../store-tools.ts'
import { stepOfCode } from './code.ts'
import { recoveryCodeDigest, recoveryCodeOf } from './recovery-code.ts'
import type { TotpState } from './schema.ts'

declare module '../stores.ts' {
  interface Stores {
    readonly totp: TotpStore
  }
  interface StoreKeys extends TotpKeys {}
}

export interface TotpKeys {
  readonly seal: Uint8Array
  readonly codes: Uint8Array
}

export interface TotpStore {
  state(user: Id): Promise<Omit<TotpState, 'email'>>
  isOn(user: Id): Promise<boolean>
  /** Waits for its first code; replaces one that waits, and is false when one is in use. */
  begin(user: Id, secret: Uint8Array): Promise<boolean>
  /** Takes the first code into use; false when it is wrong or nothing waits. */
  confirm(user: Id, code: string): Promise<boolean>
  /** True once for each code of the app in use, also for those who ask at the same time. */
  spend(user: Id, code: string): Promise<boolean>
  /** True once for each recovery code. */
  spendRecoveryCode(user: Id, text: string): Promise<boolean>
  setRecoveryCodes(user: Id, codes: readonly string[]): Promise<void>
  /** False when there was none. */
  remove(user: Id): Promise<boolean>
}

export function totpStore(db: Db, { now, newId }: StoreTools, keys: TotpKeys): TotpStore {
  const common = () => ({ id: newId(), created_at: now, updated_at: now })
  const placeOf = (user: Id) => ({ table: 'totp_factors', row: user, column: 'secret' })
  const factor = (user: Id) => db.selectFrom('totp_factors').selectAll().where('user_id', '=', user).executeTakeFirst()

  /** Every code belongs to one step, and steps only rise: who comes second with it changes no row. */
  async function take(user: Id, code: string, isConfirmed: boolean): Promise<boolean> {
    const row = await factor(user)
    if (row === undefined || (row.confirmed_at !== null) !== isConfirmed) return false
    const step = stepOfCode(openText(keys.seal, placeOf(user), row.secret), code, Date.parse(now))
    if (step === null) return false
    const taken = await db
      .updateTable('totp_factors')
      .set({ last_step: step, updated_at: now, ...(!isConfirmed && { confirmed_at: now }) })
      .where('id', '=', row.id)
      .where('last_step', '<', step)
      .executeTakeFirst()
    return taken.numUpdatedRows > 0n
  }

  return {
    async state(user) {
      const row = await factor(user)
      const { count } = await db
        .selectFrom('recovery_codes')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .where('user_id', '=', user)
        .where('used_at', 'is', null)
        .executeTakeFirstOrThrow()
      const state = row === undefined ? 'off' : row.confirmed_at === null ? 'pending' : 'on'
      return { state, since: row?.confirmed_at ?? null, recoveryCodesLeft: count }
    },

    async isOn(user) {
      return typeof (await factor(user))?.confirmed_at === 'string'
    },

    async begin(user, secret) {
      const removed = db.deleteFrom('totp_factors').where('user_id', '=', user).where('confirmed_at', 'is', null)
      await removed.execute()
      const sealed = sealText(keys.seal, placeOf(user), secret)
      const row = { ...common(), user_id: user, secret: sealed, last_step: 0 }
      const added = await db
        .insertInto('totp_factors')
        .values(row)
        .onConflict((conflict) => conflict.column('user_id').doNothing())
        .executeTakeFirst()
      return (added.numInsertedOrUpdatedRows ?? 0n) > 0n
    },

    confirm: (user, code) => take(user, code, false),

    spend: (user, code) => take(user, code, true),

    async spendRecoveryCode(user, text) {
      const code = recoveryCodeOf(text)
      if (code === null) return false
      const spent = await db
        .updateTable('recovery_codes')
        .set({ used_at: now, updated_at: now })
        .where('user_id', '=', user)
        .where('code_digest', '=', recoveryCodeDigest(keys.codes, code))
        .where('used_at', 'is', null)
        .executeTakeFirst()
      return spent.numUpdatedRows > 0n
    },

    async setRecoveryCodes(user, codes) {
      await db.deleteFrom('recovery_codes').where('user_id', '=', user).execute()
      const rows = codes.map((code) => ({
        ...common(),
        user_id: user,
        code_digest: recoveryCodeDigest(keys.codes, code),
      }))
      await db.insertInto('recovery_codes').values(rows).execute()
    },

    async remove(user) {
      await db.deleteFrom('recovery_codes').where('user_id', '=', user).execute()
      const removed = await db.deleteFrom('totp_factors').where('user_id', '=', user).executeTakeFirst()
      return removed.numDeletedRows > 0n
    },
  }
}
