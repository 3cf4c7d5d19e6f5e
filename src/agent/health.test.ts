import { describe, expect, it } from 'vitest'
import { HealthSnapshot } from '../contract/wire.ts'
import { healthSnapshot, mountOf, parseLoad, parseMemory, parsePressure } from './health.ts'

describe('health', () => {
  it('is what the contract says, on the machine of the test', async () => {
    const snapshot = await healthSnapshot({
      now: () => new Date('2026-11-20T12:00:00.000Z'),
      states: async () => [{ name: 'nginx', state: 'stopped' }],
      missing: ['Nothing limits memory'],
      versions: () => ({ wcp360: '0.1.0' }),
      mounts: ['/', '/srv/www'],
    })

    expect(HealthSnapshot.omit({ brakes: true }).parse(snapshot)).toEqual(snapshot)
    expect(snapshot.cpus).toBeGreaterThan(0)
    expect(snapshot.memory.total).toBeGreaterThan(snapshot.memory.available)
    expect(snapshot.disks[0]?.total).toBeGreaterThan(0)
    expect(snapshot.services).toEqual([{ name: 'nginx', state: 'stopped', detail: null }])
  })

  it('reads load, memory and pressure as the kernel writes them', () => {
    const memory = 'MemTotal:        2048 kB\nMemAvailable:    1024 kB\nSwapTotal:  0 kB\nSwapFree:     0 kB\n'
    const psi = 'some avg10=1.50 avg60=0.20 avg300=0.01 total=9\nfull avg10=0.25 avg60=0.00 avg300=0.00 total=1\n'

    expect(parseLoad('0.52 1.00 2.25 1/234 999\n')).toEqual([0.52, 1, 2.25])
    expect(parseMemory(memory)).toEqual({ total: 2_097_152, available: 1_048_576, swapTotal: 0, swapFree: 0 })
    expect(parsePressure(psi)).toEqual({ some: 1.5, full: 0.25 })
    expect(parsePressure('some avg10=3.00 avg60=0 avg300=0 total=0\n')).toEqual({ some: 3, full: 0 })
  })

  it.each([
    ['/srv/www', '/srv'],
    ['/srv', '/srv'],
    ['/srvother', '/'],
    ['/var/lib/wcp360', '/'],
  ])('finds the file system of %s at %s', (place, mount) => {
    const mountinfo = '22 1 254:0 / / rw - ext4 /dev/vda rw\n30 22 254:16 / /srv rw - ext4 /dev/vdb rw\n'

    expect(mountOf(place, mountinfo)).toBe(mount)
  })
})
