/** Connections that send a body byte by byte, from many addresses; what is refused or ended comes again. */
import { connect, type Socket } from 'node:net'
import { hostOf, type Server } from '../server.ts'
import { type Attack, attacker } from './attack.ts'

const wanted = 10_000
const addresses = 50
const everyMs = 100
/** At each tick: opened where there are fewer than wanted, and told another byte of their body. */
const [opened, fed] = [250, 500]

export const slowBodies: Attack = {
  name: `${wanted} slow bodies from ${addresses} addresses`,
  mostRatio: 1.5,
  async begin(server) {
    const open = new Set<Socket>()
    let next = 0
    let refused = 0
    const tick = () => {
      for (let more = Math.min(opened, wanted - open.size); more > 0; more--) {
        const socket = slowBody(server, `127.0.1.${1 + (next++ % addresses)}`)
        open.add(socket)
        socket.once('data', () => refused++)
        socket.once('close', () => open.delete(socket))
      }
      for (const socket of [...open].slice(0, fed)) {
        open.delete(socket) // to the end of the line
        open.add(socket)
        if (socket.writable && !socket.connecting) socket.write('x')
      }
    }
    const timer = setInterval(tick, everyMs)
    const full = Promise.withResolvers<void>()
    const isFull = setInterval(() => next >= wanted && full.resolve(), everyMs)
    await full.promise
    clearInterval(isFull)
    return {
      async stop() {
        clearInterval(timer)
        const held = open.size
        for (const socket of open) socket.destroy()
        return [
          { name: `${slowBodies.name}: held at the end`, value: held, unit: 'count', target: null },
          { name: `${slowBodies.name}: answered, as 429`, value: refused, unit: 'count', target: null },
        ]
      },
    }
  },
}

function slowBody(server: Server, localAddress: string): Socket {
  const socket = connect({ host: '127.0.0.1', port: server.ports.http, localAddress })
  socket.on('error', () => {}) // refused or ended: that is the defence
  socket.once('connect', () =>
    socket.write(`POST / HTTP/1.1\r\nHost: ${hostOf(attacker)}\r\nContent-Length: 60000\r\n\r\n`),
  )
  return socket
}
