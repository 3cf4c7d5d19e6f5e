/** The steps of a check, as people see them. */
import type { Section, Tone } from '../../lib/page-model.ts'
import type { SiteCheck } from './check-site.ts'
import type { words } from './words.ts'

const tones: Readonly<Record<SiteCheck['state'], Tone>> = { good: 'good', bad: 'bad', unknown: 'busy', none: 'idle' }

export function checkSections(w: typeof words, steps: readonly SiteCheck[]): Section[] {
  const first = steps.find(({ state }) => state === 'bad')
  const told = { text: first === undefined ? w.allFine : first.seen, ...(first && { sub: first.remedy }) }
  const rows = steps.map(({ step, state, seen, remedy }) => [
    { text: w.steps[step], sub: `${seen} ${remedy}`.trim() },
    { badge: { text: w.checkStates[state], tone: tones[state] } },
  ])
  const columns = [{ title: w.step }, { title: w.result }]
  return [
    { title: w.check, facts: [{ title: w.finding, ...told }] },
    { title: w.checkedSteps, table: { caption: w.checkedSteps, columns, rows } },
  ]
}
