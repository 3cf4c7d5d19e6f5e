/** Holds as people see them, beside the thing that is suspended. */

import type { Section } from '../../lib/page-model.ts'
import { label, type Texts } from '../../lib/texts.ts'
import type { Hold } from './schema.ts'

/** None where nothing is held. */
export function holdSections(t: Texts, holds: readonly Hold[] = [], title: string = t.holds.title): Section[] {
  if (holds.length === 0) return []
  const words = t.holds
  return [
    {
      title,
      table: {
        caption: title,
        columns: [
          { title: label(t, 'reason') },
          { title: label(t, 'note') },
          { title: words.by },
          { title: words.since, wide: true },
        ],
        rows: holds.map(({ level, reason, note, by, since }) => [
          { text: words.reasons[reason] },
          { text: note === '' ? '–' : note },
          { text: words.levels[level], ...(by !== null && by !== level && { sub: by }) },
          { time: since },
        ]),
      },
    },
  ]
}

/** A held thing can be held for one reason more; those who may lift a hold can do so. @param more verbs of its own kind */
export function verbsOfHeld(
  one: { readonly status: string; readonly deletedAt: string | null; readonly holds?: readonly Hold[] },
  more: readonly string[] = [],
): string[] | undefined {
  if (one.deletedAt !== null) return undefined
  const { status, holds = [] } = one
  const isLiftable = status === 'suspended' && (holds.length === 0 || holds.some(({ mayLift }) => mayLift))
  return ['update', 'suspend', ...(isLiftable ? ['unsuspend'] : []), ...more, 'delete']
}

/** A tenant can be locked for one reason more, as it can be held. */
export function lockVerbs({ locks = [] }: { readonly locks?: readonly Hold[] | undefined }): string[] {
  return ['lock', ...(locks.some(({ mayLift }) => mayLift) ? ['unlock'] : [])]
}
