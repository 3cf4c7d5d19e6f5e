/** The kinds in the trash of a visitor. */
import { kinds } from '../../resources/index.ts'
import type { AnyKind } from '../../resources/kind.ts'

/** Looked for once: each page asks. */
let withTrash: readonly AnyKind[] | undefined

/** Kinds of which a visitor sees what was deleted, and may bring it back. */
export function restorable(may: (operation: string) => boolean): AnyKind[] {
  withTrash ??= kinds.filter(
    ({ name, operations, columns }) =>
      columns !== undefined && Object.values(operations).some((one) => one.name === `${name}.restore`),
  )
  return withTrash.filter(({ name }) => may(`${name}.list`) && may(`${name}.restore`))
}
