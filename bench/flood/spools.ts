/** Slow readers of a large answer, and large bodies that never end: what nginx keeps of them. */
import { writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { hostOf } from '../server.ts'
import { type Attack, attacker } from './attack.ts'

const connections = 24
const script = '<?php $mb = str_repeat("x", 1 << 20); for ($n = 0; $n < 300; $n++) echo $mb;'
const bodyMb = 127

export const slowReaders: Attack = {
  name: `${connections} slow readers of 300 MB`,
  mostRatio: null,
  async begin(server) {
    writeFileSync(join(server.docroot(attacker), 'large.php'), script, { mode: 0o644 })
    return holding(server.ports.http, (socket) => {
      socket.write(`GET /large.php HTTP/1.1\r\nHost: ${hostOf(attacker)}\r\n\r\n`)
      socket.once('data', () => socket.pause())
    })
  },
}

export const largeBodies: Attack = {
  name: `${connections} bodies of ${bodyMb} MB that lack their end`,
  mostRatio: null,
  async begin(server) {
    const megabyte = Buffer.alloc(1 << 20, 'x')
    return holding(server.ports.http, (socket) => {
      socket.write(`POST / HTTP/1.1\r\nHost: ${hostOf(attacker)}\r\nContent-Length: ${(bodyMb << 20) + 1}\r\n\r\n`)
      let sent = 0
      const more = () => {
        while (sent++ < bodyMb) if (!socket.write(megabyte)) return void socket.once('drain', more)
      }
      more()
      socket.resume()
    })
  },
}

function holding(port: number, ask: (socket: Socket) => void) {
  const sockets = Array.from({ length: connections }, () => {
    const socket = connect({ host: '127.0.0.1', port }, () => ask(socket))
    return socket.on('error', () => {}) // refused or ended: that is the defence
  })
  return {
    async stop() {
      for (const socket of sockets) socket.destroy()
      return []
    },
  }
}
