/** Recovery after a crash, a power cut or a failed undo: the journal says which jobs were begun, and `runJob` goes on from there. */
import type { Journal, JournaledJob } from './journal.ts'

/**
 * Jobs in the order they were accepted. One that ran is resumed: its steps are looked at again from the first, those
 * that hold are left alone, and one that was begun gets what it saw before, not what it left half-made. When resuming
 * fails it is undone. One that was being undone goes on being undone.
 */
export function interrupted(journal: Journal): readonly JournaledJob[] {
  return journal.unsettled()
}

/** An older job of the tenant whose undo failed: until that is settled nothing else may happen to the tenant. */
export function stuckBefore(journal: Journal, job: JournaledJob): JournaledJob | undefined {
  return journal.stuckBefore(job)
}
