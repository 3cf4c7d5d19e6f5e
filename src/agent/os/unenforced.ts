/** Which limits of packages this machine cannot enforce, for the fields where they are typed. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { LimitName } from '../../contract/wire.ts'
import type { Services } from './services.ts'

export interface Powers {
  readonly services: Services['kind']
  readonly hasCgroups: boolean
  readonly hasEgressRules: boolean
}

/** No quota is written yet, on whatever file system. */
const everywhere: readonly LimitName[] = ['diskMb']

export function unenforced({ services, hasCgroups, hasEgressRules }: Powers): LimitName[] {
  return [...everywhere, ...ofProcesses(services, hasCgroups), ...(hasEgressRules ? [] : (['egress'] as const))]
}

function ofProcesses(services: Services['kind'], hasCgroups: boolean): readonly LimitName[] {
  if (services === 'direct') return ['cpuPct', 'memMb', 'ioMbps']
  return hasCgroups ? [] : ['cpuPct', 'memMb', 'pids', 'ioMbps']
}

/** Version 2 alone lists its controllers at the top. */
export function hasCgroups(top = '/sys/fs/cgroup'): boolean {
  return existsSync(join(top, 'cgroup.controllers'))
}
