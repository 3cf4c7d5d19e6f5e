/** What differs of a thing, and apart from it what was adopted. */
import type { Change } from '../../contract/wire.ts'
import type { Section } from '../../lib/page-model.ts'
import type { Texts } from '../../lib/texts.ts'
import { differing } from '../../resources/health/findings.ts'
import { changesView } from './diff-lines.ts'

/** @param of its name, where the page is not its own */
export function driftSections({ drift }: Texts, changes: readonly Change[], of?: string): Section[] {
  const wrong = differing(changes)
  const adopted = changes.filter(({ action }) => action === 'adopt')
  const title = (what: string) => (of === undefined ? what : `${of}: ${what}`)
  return [
    ...(wrong.length > 0 ? [{ title: title(drift.title), changes: changesView(wrong) }] : []),
    ...(adopted.length > 0 ? [{ title: title(drift.adopted), changes: changesView(adopted) }] : []),
  ]
}
