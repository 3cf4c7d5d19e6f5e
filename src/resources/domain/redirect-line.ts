/** A redirect as people write it: `/old /new`, `/shop/* https://shop.example.com 301`. */
import { z } from 'zod'
import { Redirect } from '../../contract/site-settings.ts'

/** Of one that says none: no browser remembers it. */
const usualCode = 302

const accepted = 'a path, where it leads and one of 301, 302, 307, 308, such as: /old-page /new-page 301'

export const RedirectLine = z
  .string({ error: accepted })
  .max(1400, { error: 'at most 1400 characters' })
  .superRefine((line, context) => {
    const parsed = Redirect.safeParse(partsOf(line))
    const [issue] = parsed.error?.issues ?? []
    if (issue === undefined) return
    const isNamed = ['from', 'to'].includes(String(issue.path[0])) && issue.code !== 'invalid_type'
    context.addIssue({ code: 'custom', message: isNamed ? issue.message : accepted })
  })

/** @throws for a line that `RedirectLine` refuses */
export function redirectOf(line: string): Redirect {
  return Redirect.parse(partsOf(line))
}

export function redirectLine({ from, isPrefix, to, code }: Redirect): string {
  return `${from.replaceAll(' ', '%20')}${isPrefix ? '/*' : ''} ${to} ${code}`
}

/** With `/*` at its end a path stands for all below it as well. */
function partsOf(line: string): Record<keyof Redirect, unknown> {
  const [from = '', to, code = String(usualCode), ...more] = line.trim().split(/\s+/)
  const isPrefix = from.endsWith('/*')
  return {
    from: decoded(isPrefix ? from.slice(0, -2) : from),
    isPrefix,
    to,
    code: more.length === 0 ? Number(code) : more.join(' '),
  }
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path // the schema names what is accepted
  }
}
