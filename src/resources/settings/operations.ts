/** Settings: a closed list of typed keys. */
import { z } from 'zod'
import { defineOperation } from '../context.ts'
import { badInput } from '../refusals.ts'
import { Setting, SettingKey, SettingScalar, settingDefinitions } from './schema.ts'

export const list = defineOperation({
  name: 'settings.list',
  summary: 'List all settings',
  effect: 'read',
  policy: { scopes: ['global'] },
  http: 'GET /settings',
  positional: [],
  columns: ['key', 'value', 'isDefault', 'description'],
  input: () => z.strictObject({}),
  output: () => z.strictObject({ items: z.array(Setting), nextCursor: z.null() }),
  run: async ({ settings }) => ({ items: await settings.list(), nextCursor: null }),
})

export const get = defineOperation({
  name: 'settings.get',
  summary: 'Show a setting',
  effect: 'read',
  policy: { scopes: ['global'] },
  http: 'GET /settings/{key}',
  positional: ['key'],
  input: () => z.strictObject({ key: SettingKey }),
  output: () => Setting,
  run: ({ settings }, { key }) => settings.describe(key),
})

export const update = defineOperation({
  name: 'settings.update',
  summary: 'Change a setting',
  description: 'The words null, true, false and numbers in text are understood as such where the setting takes them.',
  effect: 'write',
  policy: { scopes: ['global'], isSensitive: true },
  http: 'PATCH /settings/{key}',
  positional: ['key', 'value'],
  input: () => z.strictObject({ key: SettingKey, value: SettingScalar.describe('New value') }),
  output: () => Setting,
  async run({ settings }, { key, value }) {
    const { schema, description } = settingDefinitions[key]
    const readings = [value, ...(typeof value === 'string' ? [fromWord(value)] : [])]
    const parsed = readings.map((reading) => schema.safeParse(reading))
    const fitting = parsed.find((one) => one.success)
    if (fitting === undefined)
      badInput(`change setting "${key}"`, {
        field: 'value',
        problem: `"${value}" is not accepted`,
        accepted: `${parsed[0]?.error?.issues[0]?.message ?? 'another value'} (${description})`,
      })
    await settings.set(key, fitting.data)
    return settings.describe(key)
  },
})

/** Values that a terminal and a form can only write as text. */
function fromWord(text: string): unknown {
  const words: Record<string, unknown> = { null: null, none: null, true: true, false: false }
  if (Object.hasOwn(words, text)) return words[text]
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text
}
