import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type TenantLimits, TenantName } from '../../contract/values.ts'
import { limitsNotInForce } from './kernel-limits.ts'
import { type Layout, layout } from './layout.ts'

const tenant = TenantName.parse('acme')
const limited: TenantLimits = { cpuPct: 150, memMb: 512, pids: 64, ioMbps: 20, diskMb: 1000 }
const unlimited: TenantLimits = { cpuPct: null, memMb: null, pids: null, ioMbps: null, diskMb: null }
/** As systemd has the kernel hold the properties of `limitProperties`. */
const held = {
  'memory.max': '536870912',
  'memory.swap.max': '0',
  'pids.max': '64',
  'cpu.max': '150000 100000',
  'io.max': '8:0 rbps=20000000 wbps=20000000 riops=max wiops=max',
}
const free = {
  'memory.max': 'max',
  'memory.swap.max': 'max',
  'pids.max': 'max',
  'cpu.max': 'max 100000',
  'io.max': '',
}

describe('limits in the kernel', () => {
  let places: Layout
  let slice: string
  beforeEach(() => {
    places = layout(mkdtempSync(join(tmpdir(), 'wcp-kernel-')))
    slice = join(places.cgroups, 'wcp.slice/wcp-acme.slice')
    for (const path of [slice, places.fpmRun, places.customers.root]) mkdirSync(path, { recursive: true })
  })
  afterEach(() => rmSync(places.root, { recursive: true }))

  const put = (files: Readonly<Record<string, string>>) => {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(slice, name), `${text}\n`)
  }
  const differing = (limits: TenantLimits) => limitsNotInForce(places, { tenant, limits })

  it.each([
    ['a package’s', limited, held],
    ['none', unlimited, free],
  ])('are as they should be: %s', (_, limits, files) => {
    put(files)

    expect(differing(limits)).toEqual([])
  })

  it.each([
    ['memory.max', 'max', 'memory.max: max instead of 536870912'],
    ['memory.swap.max', 'max', 'memory.swap.max: max instead of 0'],
    ['pids.max', '6400', 'pids.max: 6400 instead of 64'],
    ['cpu.max', '800000 100000', 'cpu.max: 800000 100000 instead of 150 %'],
    ['cpu.max', 'max 100000', 'cpu.max: max 100000 instead of 150 %'],
    ['io.max', '8:0 rbps=90000000 wbps=20000000 riops=max wiops=max', 'rbps=20000000 wbps=20000000'],
  ])('are told where %s is %s', (file, text, told) => {
    put({ ...held, [file]: text })

    expect(differing(limited)).toEqual([expect.stringContaining(told)])
  })

  it('that nobody wants are told, too', () => {
    put({ ...free, 'memory.max': '1048576', 'cpu.max': '5000 100000' })

    expect(differing(unlimited)).toEqual(['memory.max: 1048576 instead of max', 'cpu.max: 5000 100000 instead of max'])
  })

  it('are the same in another period, and beside the limit of another disk', () => {
    put({ ...held, 'cpu.max': '15000 10000', 'io.max': `8:16 rbps=5 wbps=max riops=max wiops=max\n${held['io.max']}` })

    expect(differing(limited)).toEqual([])
  })

  it('are left alone while the quota is raised because PHP wakes, the others are not', () => {
    put({ ...held, 'cpu.max': '100000 100000', 'pids.max': 'max' })
    writeFileSync(places.fpmBurst(tenant), '')

    expect(differing({ ...limited, cpuPct: 20 })).toEqual(['pids.max: max instead of 64'])
    rmSync(places.fpmBurst(tenant))
    expect(differing({ ...limited, cpuPct: 20 })).toHaveLength(2)
  })

  it('are told where a controller was taken from the slice, if there is a limit of it', () => {
    writeFileSync(join(places.cgroups, 'cgroup.controllers'), 'cpu memory pids\n')
    put({ 'memory.max': '536870912' })

    expect(differing(limited)).toEqual(['pids.max: none instead of 64', 'cpu.max: none instead of 150 %'])
    expect(differing({ ...unlimited, memMb: 512 })).toEqual([])
  })

  it('are nowhere without a process of the tenant, and where the kernel has no such limit', () => {
    rmSync(slice, { recursive: true })
    expect(differing(limited)).toEqual([])

    mkdirSync(slice)
    put({ 'pids.max': '64' })
    expect(differing(limited)).toEqual([])
  })
})
