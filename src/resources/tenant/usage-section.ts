/** What a tenant uses of its limits, as bars. */
import type { Fact, Section } from '../../lib/page-model.ts'
import { label, type Texts } from '../../lib/texts.ts'
import type { UsageOfLimits } from './schema.ts'

export function usageSection(t: Texts, usage: UsageOfLimits): Section {
  const { domains, maxDomains, diskMb, diskIsWhole, maxDiskMb, trafficMb, trafficAt, diskAt, databasesMb } = usage
  const least = diskIsWhole ? '' : `${t.usage.atLeast} `
  const moment = (time: string | null) => (time === null ? { text: t.usage.notMeasured } : { time })
  return {
    title: t.usage.title,
    facts: [
      { title: t.limitNames.maxDomains, ...share(t, { used: domains, most: maxDomains, unit: '' }) },
      {
        title: t.limitNames.diskMb,
        ...(diskMb === null
          ? { text: t.usage.notMeasured }
          : share(t, { used: diskMb, most: maxDiskMb, unit: t.limitUnits.diskMb, before: least })),
      },
      { title: t.usage.thisMonth, text: `${t.format.number(trafficMb)} ${t.limitUnits.diskMb}` },
      { title: label(t, 'diskAt'), ...moment(diskAt) },
      { title: label(t, 'trafficAt'), ...moment(trafficAt) },
      ...(databasesMb === null ? [] : [{ title: label(t, 'databasesMb'), text: t.format.number(databasesMb) }]),
    ],
  }
}

interface Amount {
  readonly used: number
  /** null: no limit. */
  readonly most: number | null
  readonly unit: string
  readonly before?: string
}

/** `120 of 1,000 MB` and its bar; `120 MB`. */
function share(t: Texts, { used, most, unit, before = '' }: Amount): Pick<Fact, 'text' | 'part'> {
  const told = `${before}${t.format.number(used)}`
  if (most === null) return { text: `${told} ${unit}`.trim() }
  const text = `${told} ${t.usage.of} ${t.format.number(most)} ${unit}`.trim()
  return { text, part: most === 0 ? 1 : used / most }
}
