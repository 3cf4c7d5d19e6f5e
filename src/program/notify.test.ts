import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { koffi } from './native-koffi.ts'
import { notifier, reloadingLines } from './notify.ts'

const folder = mkdtempSync(join(tmpdir(), 'wcp-notify-'))
const libc = koffi().load('libc.so.6')
const socket = libc.func('int socket(int domain, int type, int protocol)')
const bind = libc.func('int bind(int fd, const void *address, uint32_t length)')
const recv = libc.func('int64_t recv(int fd, _Out_ void *buffer, size_t length, int flags)')

afterAll(() => rmSync(folder, { recursive: true }))

/** systemd's end of it: a datagram socket; `take` gives the next message without waiting. */
function receiver(name: string) {
  const fd: number = socket(1, 2, 0)
  const address = Buffer.concat([Buffer.from([1, 0]), Buffer.from(name.replace('@', '\0'))])
  expect(bind(fd, address, address.length)).toBe(0)
  return {
    take() {
      const buffer = Buffer.alloc(500)
      const length = Number(recv(fd, buffer, buffer.length, 0x40))
      return length < 0 ? undefined : buffer.toString('utf8', 0, length)
    },
  }
}

describe('notifier', () => {
  it.each([join(folder, 'notify.sock'), `@wcp-notify-${process.pid}`])('sends datagrams to %s', (address) => {
    const systemd = receiver(address)
    const { say } = notifier({ NOTIFY_SOCKET: address })

    say('READY=1', 'STATUS=works')
    say('WATCHDOG=1')

    expect([systemd.take(), systemd.take(), systemd.take()]).toEqual(['READY=1\nSTATUS=works', 'WATCHDOG=1', undefined])
  })

  it('asks for half of the time that systemd allows', () => {
    expect(notifier({ NOTIFY_SOCKET: '@nobody', WATCHDOG_USEC: '60000000' }).watchdogMs).toBe(30_000)
    expect(notifier({ NOTIFY_SOCKET: '@nobody' }).watchdogMs).toBeUndefined()
  })

  it('is silent without systemd', () => {
    expect(() => notifier({}).say('READY=1')).not.toThrow()
    expect(notifier({ WATCHDOG_USEC: '60000000' }).watchdogMs).toBeUndefined()
  })

  it('says the moment of a reload by the monotonic clock', () => {
    expect(reloadingLines()).toEqual(['RELOADING=1', expect.stringMatching(/^MONOTONIC_USEC=\d{6,}$/)])
  })
})
