/** The records to set in the DNS, and the answers found there so far. */

import type { Section } from '../../lib/page-model.ts'
import { shownHost } from '../../lib/shown-host.ts'
import { label } from '../../lib/texts.ts'
import type { Look } from '../kind.ts'
import type { DomainProof } from './schema.ts'
import type { words as own } from './words.ts'

export function proofSection(
  { t, words }: Pick<Look<typeof own>, 't' | 'words'>,
  { name, recordName, recordValue, tries, nextTryAt }: DomainProof,
): Section {
  const next = nextTryAt === null ? { text: words.noMoreLooks } : { time: nextTryAt }
  return {
    title: `${words.proof} ${shownHost(name)}`,
    facts: [
      { title: words.record, code: recordName },
      { title: words.recordType, text: 'TXT' },
      { title: words.recordValue, code: recordValue },
      { title: words.proves, text: shownHost(name), sub: words.provesText },
      { title: words.nextLook, ...next },
    ],
    table: {
      caption: words.looks,
      columns: [{ title: words.looks }, { title: label(t, 'createdAt'), hidden: true }],
      rows: tries.map(({ at, outcome, detail }) => [
        { text: words.answers[outcome], sub: `${words.answerTexts[outcome]} ${detail}` },
        { time: at },
      ]),
    },
    empty: words.noLooks,
  }
}
