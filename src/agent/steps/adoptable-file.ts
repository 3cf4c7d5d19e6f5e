import { type AdoptableFile, type Adopted, adoptedText, recordText } from '../adopted-text.ts'
import type { Machine } from '../os/machine.ts'
import { unifiedDiff } from '../unified-diff.ts'
import { entryStep } from './entry-step.ts'
import { type Step, step } from './step.ts'
import { type TextFile, textFile } from './text-file.ts'

/** A file with exactly this text, or with the one that was adopted in its place, and with this mode and owner. */
export function adoptableFile(wanted: AdoptableFile): Step {
  const ours = textFile(wanted)
  const inForce = async (machine: Machine) => {
    const adopted = await adoptedText(machine, wanted)
    return adopted === undefined ? ours : textFile({ ...wanted, text: adopted.text })
  }
  return step({
    ...ours,
    // the record is read only when it matters: most files are ours
    check: async (machine) => (await ours.check(machine)) && (await (await inForce(machine)).check(machine)),
    apply: async (machine, before) => (await inForce(machine)).apply(machine, before),
  })
}

export function ownFile(wanted: TextFile | AdoptableFile): Step {
  return 'record' in wanted ? adoptableFile(wanted) : textFile(wanted)
}

/** The text of the file is adopted: it stays in place of ours. */
export function adoption(file: AdoptableFile, adopted: Omit<Adopted, 'over'>): Step {
  const text = recordText(file, adopted)
  return entryStep({
    name: `file ${file.path} is adopted`,
    path: file.record,
    differs(found) {
      if (found.type === 'file' && Buffer.from(found.base64, 'base64').toString('utf8') === text) return undefined
      return { action: 'adopt', diff: unifiedDiff(file.path, file.text, adopted.text) }
    },
    apply: ({ files }) => files.writeFile(file.record, text, { mode: 0o600, uid: 0, gid: 0 }),
  })
}
