/** Settings in the panel's database; what is not stored has its default. */
import type { Setting, SettingKey, SettingValue } from './schema.ts'

export interface SettingStore {
  list(): Promise<Setting[]>
  describe(key: SettingKey): Promise<Setting>
  get<K extends SettingKey>(key: K): Promise<SettingValue<K>>
  /** `null` for `value` where null is not a value of the setting: refused by the operation, never here. */
  set<K extends SettingKey>(key: K, value: SettingValue<K>): Promise<void>
}
