import { expect, it } from 'vitest'
import { english } from '../index.ts'
import { limitFacts } from './kind.ts'

const none = {
  maxDatabases: null,
  cpuPct: null,
  memMb: null,
  pids: null,
  ioMbps: null,
  egress: 'default' as const,
  sshAccess: 'sftp' as const,
  features: [],
}
const shown = (limits: object, used?: NonNullable<Parameters<typeof limitFacts>[2]>['used']) =>
  limitFacts(english, { ...none, maxDomains: null, diskMb: null, ...limits }, { used })
    .facts?.slice(0, 2)
    .map(({ text }) => text)

it('tells what is used beside what is allowed', () => {
  const limits = { maxDomains: 5, diskMb: 2000 }
  const used = { domains: 3, diskMb: 1234, diskIsWhole: true }

  expect(shown(limits)).toEqual(['5', '2,000 MB'])
  expect(shown(limits, used)).toEqual(['3 of 5', '1,234 of 2,000 MB'])
  expect(shown({}, used)).toEqual(['3, no limit', '1,234 MB, no limit'])
  expect(shown(limits, { ...used, diskIsWhole: false })).toEqual(['3 of 5', 'at least 1,234 of 2,000 MB'])
  expect(shown(limits, { ...used, diskMb: null })).toEqual(['3 of 5', '2,000 MB'])
})

it('marks the limits that are set and that the machine cannot enforce', () => {
  const facts = limitFacts(
    english,
    { ...none, memMb: 512, maxDomains: null, diskMb: 2000 },
    { unenforced: ['diskMb'] },
  ).facts

  expect(facts?.filter(({ sub }) => sub === english.form.notEnforced).map(({ title }) => title)).toEqual(['Disk space'])
  expect(facts?.map(({ text }) => text)).toContain('512 MiB')
})
