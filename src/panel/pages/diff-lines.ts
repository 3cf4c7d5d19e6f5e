/** A plan as the page shows it: each diff cut into lines that carry their tone. */
import type { Change } from '../../contract/wire.ts'
import { plainWords } from '../../lib/plain-words.ts'
import { withShownHosts } from '../../lib/shown-host.ts'
import { deed, type Texts } from '../../lib/texts.ts'

export interface PlanView {
  readonly type: string
  readonly changes: readonly {
    readonly step: string
    readonly action: Change['action']
    readonly lines: readonly { readonly text: string; readonly tone: string }[]
  }[]
}

export function planView(
  t: Texts,
  plan: readonly { readonly type: string; readonly changes: readonly Change[] }[],
): PlanView[] {
  return plan.map(({ type, changes }) => ({
    type: type.includes('.') ? deed(t, type) : type,
    changes: changesView(changes),
  }))
}

export function changesView(changes: readonly Change[]): PlanView['changes'] {
  return changes.map(({ step, action, diff }) => ({
    step: withShownHosts(plainWords(step)),
    action,
    lines: diff === null ? [] : diffLines(diff),
  }))
}

function diffLines(diff: string): { text: string; tone: string }[] {
  return diff
    .replace(/\n$/, '')
    .split('\n')
    .map((text) => ({ text, tone: toneOf(text) }))
}

function toneOf(line: string): string {
  if (/^(\+\+\+|---|@@)/.test(line)) return 'diff-place'
  if (line.startsWith('+')) return 'diff-add'
  return line.startsWith('-') ? 'diff-remove' : ''
}
