// QEMU's control socket: https://www.qemu.org/docs/master/interop/qmp-spec.html

import { connect, type Socket } from 'node:net'
import { z } from 'zod'

export type QmpCommand = { readonly execute: string; readonly arguments?: Readonly<Record<string, unknown>> }

const Reply = z.union([
  z.object({ return: z.unknown() }),
  z.object({ error: z.object({ desc: z.string() }) }),
  z.object({ event: z.string() }),
  z.object({ QMP: z.unknown() }),
])

/** Sends one command on a connection of its own. QEMU serves one connection at a time, the others queue. */
export async function qmp(path: string, command: QmpCommand, timeout = 30_000): Promise<unknown> {
  const socket = connect(path)
  const timer = setTimeout(
    () => socket.destroy(new Error(`Cannot ${command.execute}: no answer in ${timeout} ms`)),
    timeout,
  )
  try {
    const replies = answers(socket)
    await ask(socket, replies, { execute: 'qmp_capabilities' })
    return await ask(socket, replies, command)
  } finally {
    clearTimeout(timer)
    socket.destroy()
  }
}

/** A command of the human monitor, for what QMP lacks. It reports failure as text. */
export async function monitor(path: string, line: string, timeout?: number): Promise<void> {
  const text = await qmp(path, { execute: 'human-monitor-command', arguments: { 'command-line': line } }, timeout)
  const complaint = z.string().parse(text).trim()
  if (complaint) throw new Error(`Cannot ${line}: ${complaint}`)
}

async function ask(socket: Socket, replies: AsyncIterator<string>, command: QmpCommand): Promise<unknown> {
  socket.write(`${JSON.stringify(command)}\n`)
  for (;;) {
    const { done, value } = await replies.next()
    if (done) throw new Error(`Cannot ${command.execute}: QEMU closed the connection`)
    const reply = Reply.parse(JSON.parse(value))
    if ('error' in reply) throw new Error(`Cannot ${command.execute}: ${reply.error.desc}`)
    if ('return' in reply) return reply.return
  }
}

async function* answers(socket: Socket): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of socket) {
    const lines = (rest + String(chunk)).split('\n')
    rest = lines.pop() ?? ''
    yield* lines.filter((line) => line.trim() !== '')
  }
}
