/** Where each kind lives on the pages. */
import { type AnyOperation, kindOf, verbOf } from '../../contract/operation.ts'
import { path } from '../../lib/safe-url.ts'
import { kinds } from '../../resources/index.ts'

const byName = new Map(kinds.map((kind) => [kind.name, kind]))

export function listPath(kind: string): string {
  return byName.get(kind)?.path ?? '/'
}

export function detailPath(kind: string, ref: string): string {
  const hasPage = byName.get(kind)?.detail !== undefined
  return hasPage ? `${listPath(kind)}${path`/${ref}`}` : listPath(kind)
}

/** The page to return to from a form about `ref`, or about none yet. */
export function homeOf(operation: Pick<AnyOperation, 'name'>, ref: string | undefined): string {
  const kind = kindOf(operation)
  return ref === undefined || ref === '' ? listPath(kind) : detailPath(kind, ref)
}

/** Takes something away: its button is red. */
export function isDestructive(operation: Pick<AnyOperation, 'name'>): boolean {
  return ['delete', 'purge'].includes(verbOf(operation))
}
