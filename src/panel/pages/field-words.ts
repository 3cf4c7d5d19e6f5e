/** A refused field as people read it. */
import type { FieldError } from '../../contract/errors.ts'
import { plainWords } from '../../lib/plain-words.ts'
import type { Texts } from '../../lib/texts.ts'

/** `Use 3 to 24 characters …`: where the form is wrong, what is right says enough. */
export function spoken(t: Texts, { problem, accepted }: Pick<FieldError, 'problem' | 'accepted'>): string {
  if (accepted === undefined || problem.includes(accepted)) return sentence(problem)
  const isUsable = !/^(only|no|nothing|what)\b/.test(accepted)
  if (isUsable && saysLittle.has(problem)) return `${t.form.use} ${plainWords(accepted)}.`
  return `${sentence(problem)}. ${t.form.accepted} ${plainWords(accepted)}.`
}

const saysLittle: ReadonlySet<string> = new Set(['is not well-formed', 'is not accepted', 'has the wrong type'])

function sentence(text: string): string {
  const plain = plainWords(text)
  return plain.charAt(0).toUpperCase() + plain.slice(1)
}
