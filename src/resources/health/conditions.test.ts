import { describe, expect, it } from 'vitest'
import type { HealthSnapshot } from '../../contract/wire.ts'
import type { ConditionLook } from '../condition-source.ts'
import { machineConditions } from './conditions.ts'

const gib = 1024 ** 3

async function found(health: Partial<HealthSnapshot> | null, agentTrouble?: string) {
  const whole = health && { disks: [], services: [], brakes: [], ...health }
  const look = { health: async () => whole, agentTrouble } as unknown as ConditionLook // no source here asks for more
  const all = await Promise.all(
    machineConditions.map(async (source) => [source.name, await source.find(look)] as const),
  )
  return Object.fromEntries(all.filter(([, conditions]) => conditions?.length !== 0))
}

const disk = (mount: string, freeShare: number, inodesFreePct = 50) => ({
  mount,
  total: 100 * gib,
  free: freeShare * gib,
  inodesFreePct,
})

describe('the machine needs attention', () => {
  it('for nothing while all is well', async () => {
    const services = [{ name: 'nginx', state: 'running', detail: null } as const]
    const brakes = [{ kind: 'deletes', used: 5, limit: 10, approved: 0, waiting: 0 } as const]
    expect(await found({ disks: [disk('/', 11)], services, brakes })).toEqual({})
  })

  it('for services that failed or are not there, and not for one that was stopped', async () => {
    const services = [
      { name: 'nginx', state: 'failed', detail: 'it answers nobody' } as const,
      { name: 'php8.4-fpm', state: 'missing', detail: null } as const,
      { name: 'waker', state: 'stopped', detail: null } as const,
    ]
    expect(await found({ services })).toMatchObject({
      services: [
        { subject: 'nginx', severity: 'critical', detail: 'it answers nobody' },
        { subject: 'php8.4-fpm', severity: 'critical' },
      ],
    })
  })

  it('for disks by what is scarcest: room or inodes', async () => {
    const { disks } = await found({ disks: [disk('/', 9), disk('/srv', 2), disk('/var', 60, 2.5), disk('/proc', 0)] })
    expect(disks?.map(({ subject, severity, title }) => [subject, severity, title])).toEqual([
      ['/', 'warning', 'Disk / has less than 10 % of its room left'],
      ['/srv', 'critical', 'Disk /srv has less than 3 % of its room left'],
      ['/var', 'critical', 'Disk /var has less than 3 % of its inodes left'],
      ['/proc', 'critical', 'Disk /proc has less than 3 % of its room left'],
    ])
    expect(await found({ disks: [{ mount: '/run', total: 0, free: 0, inodesFreePct: 100 }] })).toEqual({})
  })

  it('for jobs that wait for the word of root', async () => {
    const brakes = [{ kind: 'deletes', used: 10, limit: 10, approved: 0, waiting: 4 } as const]
    expect(await found({ brakes })).toMatchObject({ brake: [{ subject: 'deletes', severity: 'warning' }] })
  })

  it('for an agent that is away; what it alone knows stands as it was', async () => {
    const away = await found(null, 'it is not connected')
    expect(away).toMatchObject({ agent: [{ severity: 'critical', detail: 'it is not connected' }] })
    expect(away).toMatchObject({ services: null, disks: null, brake: null })
  })
})
