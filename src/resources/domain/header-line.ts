/** A header as people write it: `X-Frame-Options: SAMEORIGIN`. */
import { z } from 'zod'
import { SiteHeader } from '../../contract/site-settings.ts'

const accepted = 'a name and a value, such as X-Frame-Options: SAMEORIGIN'

export const HeaderLine = z
  .string({ error: accepted })
  .max(1100, { error: 'at most 1100 characters' })
  .superRefine((line, context) => {
    const [issue] = SiteHeader.safeParse(partsOf(line)).error?.issues ?? []
    if (issue !== undefined) context.addIssue({ code: 'custom', message: issue.message })
  })

/** @throws for a line that `HeaderLine` refuses */
export function headerOf(line: string): SiteHeader {
  return SiteHeader.parse(partsOf(line))
}

export function headerLine({ name, value }: SiteHeader): string {
  return `${name}: ${value}`
}

function partsOf(line: string): Record<keyof SiteHeader, string> {
  const at = line.indexOf(':')
  return { name: line.slice(0, at).trim().toLowerCase(), value: line.slice(at + 1).trim() }
}
