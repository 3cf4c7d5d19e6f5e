/** The lists that are saved as a file for spreadsheets. */
import type { AnyKind } from '../../resources/kind.ts'

/** What has an export of its own, which may ask for more of a visitor, has no other. */
export function isSavedAsCsv({ name, menu, columns, operations }: AnyKind): boolean {
  const all = Object.values(operations)
  const list = all.find((one) => one.name === `${name}.list`)
  const isExported = all.some((one) => one.name === `${name}.export`)
  return menu !== undefined && columns !== undefined && list?.columns !== undefined && !isExported
}
