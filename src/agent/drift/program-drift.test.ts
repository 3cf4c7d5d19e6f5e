import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { assetText } from '../../program/assets.ts'
import { createFiles } from '../os/files.ts'
import { layout } from '../os/layout.ts'
import type { Machine } from '../os/machine.ts'
import { doOwnFiles } from '../own-files.ts'
import { programDrift } from './program-drift.ts'

/** As `install.sh` has them. */
const installer = readFileSync(join(import.meta.dirname, '../../../install.sh'), 'utf8')
const units = /units=\(([^)]+)\)/.exec(installer)?.[1]?.split(' ') ?? []

describe.skipIf(process.getuid?.() !== 0)('what differs of the program', () => {
  let root: string
  let machine: Machine
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'wcp-program-'))
    const places = layout(root)
    machine = { places, files: createFiles({ root, owner: 0 }), now: () => new Date() } as Machine // the rest is not asked for
    mkdirSync(places.agentState, { recursive: true })
    mkdirSync(places.systemdRun, { recursive: true })
    for (const unit of units) put(`etc/systemd/system/${unit}`, unit)
    put('etc/systemd/system/nginx.service.d/wcp360.conf', 'wcp360-nginx.conf')
    put('etc/pam.d/wcp360', 'wcp360.pam')
    put('etc/logrotate.d/wcp360', 'wcp360.logrotate')
    put('etc/pam.d/wcp360-ssh', 'wcp360-ssh.pam')
    put('etc/security/namespace.d/wcp360.conf', 'wcp360-namespace.conf')
    for (const name of ['wcpd-supervise', 'wcpd-session']) put(`opt/wcp360/bin/${name}`, name, 0o755)
    writeFileSync(places.executable, '', { mode: 0o755 })
    for (const path of [places.command, ...places.enabledUnits]) mkdirSync(dirname(path), { recursive: true })
    symlinkSync(places.executable, places.command)
    for (const path of places.enabledUnits) symlinkSync('/etc/systemd/system/unit', path)
  })
  afterEach(() => rmSync(root, { recursive: true }))

  function put(place: string, asset: string, mode = 0o644): void {
    write(place, assetText(`systemd/${asset}`), mode)
  }
  function write(place: string, text: string, mode = 0o644): void {
    mkdirSync(dirname(join(root, place)), { recursive: true })
    writeFileSync(join(root, place), text, { mode })
  }
  const changes = async () => (await programDrift(machine)).flatMap((one) => one.changes)
  const adopt = () => doOwnFiles({ machine } as Parameters<typeof doOwnFiles>[0], 'adopt_program', 'ann@example.com')

  it('is nothing after its installation, and in a checkout', async () => {
    expect(units.length).toBeGreaterThan(5)
    expect(await programDrift(machine)).toEqual([])
    rmSync(join(root, 'etc'), { recursive: true })
    rmSync(machine.places.executable)
    expect(await programDrift(machine)).toEqual([])
  })

  it.each([
    ...['etc/systemd/system/wcpd.service', 'etc/systemd/system/wcp.slice'],
    ...['etc/systemd/system/nginx.service.d/wcp360.conf', 'etc/pam.d/wcp360', 'opt/wcp360/bin/wcpd-supervise'],
    ...['opt/wcp360/bin/wcpd-session', 'etc/pam.d/wcp360-ssh', 'etc/security/namespace.d/wcp360.conf'],
  ])('is %s with another text, which its diff shows, with another mode, or gone', async (place) => {
    const path = join(root, place)
    const { mode } = lstatSync(path)
    const text = readFileSync(path, 'utf8')
    writeFileSync(path, `${text}# mine\n`)
    expect(await changes()).toEqual([
      {
        step: expect.stringMatching(`${place}: install\\.sh`),
        action: 'change',
        diff: expect.stringMatching(/^-# mine$/m),
      },
    ])

    writeFileSync(path, text)
    chmodSync(path, 0o666)
    expect(await changes()).toMatchObject([{ diff: expect.stringContaining('mode 0666 instead of') }])
    rmSync(path)
    expect(await changes()).toMatchObject([{ action: 'create', step: expect.stringContaining(place) }])
    writeFileSync(path, text, { mode })
    expect(await changes()).toEqual([])
  })

  it.each([
    ['etc/systemd/system/wcpd.service.d/mine.conf', 'wcpd.service'],
    ['etc/systemd/system.control/wcp-acme.slice.d/50-MemoryMax.conf', 'wcp-acme.slice'],
    ['etc/systemd/system/wcp-.slice.d/all.conf', 'wcp-.slice'],
    ['usr/lib/systemd/system/wcpd-panel.socket.d/other.conf', 'wcpd-panel.socket'],
  ])('is what was set beside a unit, %s', async (place, unit) => {
    write(place, '[Service]\nNice=3\n')
    write(place.replace(/[^/]+$/, 'read.me'), 'systemd does not read it')
    write('etc/systemd/system/other.service.d/mine.conf', 'another unit')

    const step = expect.stringMatching(new RegExp(`${place} changes ${unit}: take it away, or adopt it`))
    expect(await changes()).toEqual([{ step, action: 'remove', diff: expect.stringMatching(/^-Nice=3$/m) }])
  })

  it('is an executable that others may write, a command that leads elsewhere, a unit that is masked or not enabled', async () => {
    const { executable, command, enabledUnits } = machine.places
    chmodSync(executable, 0o777)
    rmSync(command)
    symlinkSync('/usr/bin/true', command)
    rmSync(String(enabledUnits[0]))
    rmSync(join(root, 'etc/systemd/system/wcpd-waker.service'))
    symlinkSync('/dev/null', join(root, 'etc/systemd/system/wcpd-waker.service'))

    const told = (await changes()).map(({ step, diff }) => `${step} ${diff}`).join('\n')

    expect(told.split('\n')).toHaveLength(4)
    for (const words of ['mode 0777 instead of 0755', 'to /usr/bin/true instead of', 'a link instead of a file'])
      expect(told).toContain(words)
    expect(told).toContain('systemctl enable wcpd.service')
  })

  it('is no more what was adopted, until it is another text, and told with who did it', async () => {
    const unit = 'etc/systemd/system/wcpd-panel.service'
    const beside = 'etc/systemd/system/wcpd.service.d/mine.conf'
    const ours = readFileSync(join(root, unit), 'utf8')
    write(unit, `${ours}# mine\n`)
    write(beside, '[Service]\nNice=3\n')
    expect((await changes()).map(({ action }) => action)).toEqual(['change', 'remove'])

    await adopt()
    expect(await changes()).toEqual([
      {
        action: 'adopt',
        step: expect.stringMatching(/wcpd-panel.*ann@example\.com/),
        diff: expect.stringContaining('+# mine'),
      },
      {
        action: 'adopt',
        step: expect.stringMatching(/mine\.conf.*ann@example\.com/),
        diff: expect.stringContaining('+Nice=3'),
      },
    ])

    write(beside, '[Service]\nNice=4\n')
    expect((await changes()).map(({ action }) => action)).toEqual(['adopt', 'remove'])
    write(unit, ours)
    rmSync(join(root, beside))
    expect(await changes()).toEqual([])
  })

  it('is not adopted where others may write it', async () => {
    const path = join(root, 'etc/systemd/system/wcpd.service')
    writeFileSync(path, '# mine')
    chmodSync(path, 0o666)

    await expect(adopt()).rejects.toMatchObject({ code: 'conflict' })
    expect(existsSync(machine.places.adopted)).toBe(false)
  })
})
