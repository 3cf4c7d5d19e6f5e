/** Settings in the panel's database; what is not stored has its default. */
import type { Db } from '../../store/database.ts'
import { decodeJson, encodeJson } from '../../store/json.ts'
import type { StoreTools } from '../store-tools.ts'
import { type Setting, SettingKey, type SettingValue, settingDefinitions } from './schema.ts'

declare module '../stores.ts' {
  interface Stores {
    readonly settings: SettingStore
  }
}

export interface SettingStore {
  list(): Promise<Setting[]>
  describe(key: SettingKey): Promise<Setting>
  get<K extends SettingKey>(key: K): Promise<SettingValue<K>>
  set<K extends SettingKey>(key: K, value: SettingValue<K>): Promise<void>
}

export function settingStore(db: Db, { now, newId }: StoreTools): SettingStore {
  const store: SettingStore = {
    async list() {
      return Promise.all(SettingKey.options.map((key) => store.describe(key)))
    },

    async describe(key) {
      const { fallback, description } = settingDefinitions[key]
      const value = await store.get(key)
      return { key, value, isDefault: value === fallback, description }
    },

    async get<K extends SettingKey>(key: K) {
      const row = await db.selectFrom('settings').select('value').where('key', '=', key).executeTakeFirst()
      const { schema, fallback } = settingDefinitions[key]
      const found = row === undefined ? undefined : schema.safeParse(decodeJson(row.value))
      return ofKey<K>(found?.success === true ? found.data : fallback)
    },

    async set(key, value) {
      const text = encodeJson(value)
      await db
        .insertInto('settings')
        .values({ id: newId(), created_at: now, updated_at: now, key, value: text })
        .onConflict((row) => row.column('key').doUpdateSet({ value: text, updated_at: now }))
        .execute()
    },
  }
  return store
}

/** The compiler does not follow a key from its schema to its value. */
function ofKey<K extends SettingKey>(value: SettingValue<SettingKey>): SettingValue<K> {
  return value as SettingValue<K>
}
