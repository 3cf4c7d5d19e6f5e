/**
 * Datagrams of a unix socket, which Node itself cannot receive: a read waits for the first on a thread of its own, and those
 * that wait behind it are taken by recv(2) at once. A wake of two threads for each would lose lines on a busy machine.
 */
import { read } from 'node:fs'

const MSG_DONTWAIT = 0x40
/** Longer than nginx sends: what of a request a line shows is cut in its configuration. */
const longest = 64 * 1024
/** Taken before timers have their turn. */
const mostAtOnce = 1000

/** @param take must not keep what it is given. */
export function receive(fd: number, take: (datagram: Buffer) => void): void {
  const recv = receiver(fd)
  const buffer = Buffer.alloc(longest)
  const next = () =>
    read(fd, buffer, 0, longest, null, (error, bytes) => {
      if (error) throw error
      for (let length = bytes, taken = 0; length >= 0; length = taken++ < mostAtOnce ? recv(buffer) : -1)
        take(buffer.subarray(0, length))
      next()
    })
  next()
}

function receiver(fd: number): (buffer: Buffer) => number {
  const libc = process.getBuiltinModule('node:ffi').dlopen(null, {
    recv: { arguments: ['int32', 'pointer', 'uint64', 'int32'], return: 'int64' },
  }).functions
  return (buffer) => Number(libc.recv(fd, buffer, BigInt(buffer.length), MSG_DONTWAIT))
}
