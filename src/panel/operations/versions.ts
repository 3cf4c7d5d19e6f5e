/**
 * Which version of a thing somebody has read: a digest of what was shown, so that whoever changes it can say what they
 * took it for. Whatever changes the answer changes the version.
 */
import { createHash } from 'node:crypto'
import { type AnyOperation, httpBinding, kindOf } from '../../contract/operation.ts'

/** @param shown an answer as its schema gives it, or the texts of a form */
export function versionOf(shown: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(shown) ?? '')
    .digest('base64url')
    .slice(0, 22)
}

/** The operation that shows what this one changes, such as `tenant.get` for `tenant.suspend`. */
export function getterOf(operation: AnyOperation, byName: ReadonlyMap<string, AnyOperation>): AnyOperation | undefined {
  const get = operation.effect === 'read' ? undefined : byName.get(`${kindOf(operation)}.get`)
  if (get === undefined) return undefined
  const keys = httpBinding(get).pathKeys
  const own = httpBinding(operation).pathKeys
  return keys.length > 0 && keys.every((key) => own.includes(key)) ? get : undefined
}
