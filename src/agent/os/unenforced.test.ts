import { expect, it } from 'vitest'
import { unenforced } from './unenforced.ts'

it.each([
  ['a server', { services: 'systemd', hasCgroups: true, hasEgressRules: true }, ['diskMb']],
  [
    'a server without cgroup v2',
    { services: 'systemd', hasCgroups: false, hasEgressRules: true },
    ['diskMb', 'cpuPct', 'memMb', 'pids', 'ioMbps'],
  ],
  [
    'a machine without systemd and without nftables',
    { services: 'direct', hasCgroups: true, hasEgressRules: false },
    ['diskMb', 'cpuPct', 'memMb', 'ioMbps', 'egress'],
  ],
] as const)('%s cannot enforce so many limits', (_, powers, limits) => {
  expect(unenforced(powers)).toEqual(limits)
})
