/** The kinds in the trash of a visitor. */
import { kinds } from '../../resources/index.ts'
import type { AnyKind } from '../../resources/kind.ts'

/** Kinds of which a visitor sees what was deleted, and may bring it back. */
export function restorable(may: (operation: string) => boolean): AnyKind[] {
  return kinds.filter(
    ({ name, operations, columns }) =>
      columns !== undefined &&
      Object.values(operations).some((one) => one.name === `${name}.restore`) &&
      may(`${name}.list`) &&
      may(`${name}.restore`),
  )
}
