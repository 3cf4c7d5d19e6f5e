/** The process of `slow-bodies.ts`: holds its connections open, each with a byte of its body now and then; what is ended comes again. */
import { connect, type Socket } from 'node:net'

export interface SlowClients {
  readonly port: number
  readonly hosts: readonly string[]
  readonly wanted: number
  readonly addresses: number
}

export interface SlowSummary {
  readonly held: number
  readonly ended: number
}

const everyMs = 100
/** At each tick: opened where there are fewer than wanted, and told another byte of their body, which makes one in ten seconds. */
const [opened, fed] = [250, 100]

const { port, hosts, wanted, addresses }: SlowClients = JSON.parse(process.argv[2] ?? '') // our own parent's
const open = new Set<Socket>()
let next = 0
let ended = 0

function slowBody(): Socket {
  const at = next++
  const socket = connect({ host: '127.0.0.1', port, localAddress: `127.0.1.${1 + (at % addresses)}` })
  socket.on('error', () => {}) // refused or ended: that is the defence
  const head = `POST / HTTP/1.1\r\nHost: ${hosts[Math.floor(at / addresses) % hosts.length]}\r\nContent-Length: 60000\r\n\r\n`
  socket.once('connect', () => socket.write(head))
  socket.once('data', () => socket.destroy())
  socket.once('close', () => {
    open.delete(socket)
    ended++
  })
  return socket
}

let isUnderWay = false
setInterval(() => {
  for (let more = Math.min(opened, wanted - open.size); more > 0; more--) open.add(slowBody())
  for (const socket of [...open].slice(0, fed)) {
    open.delete(socket) // to the end of the line
    open.add(socket)
    if (socket.writable && !socket.connecting) socket.write('x')
  }
  if (isUnderWay || next < wanted || [...open].filter(({ connecting }) => connecting).length > opened) return
  isUnderWay = true
  process.send?.('under way')
}, everyMs)

process.on('message', () => {
  const summary: SlowSummary = { held: [...open].filter(({ connecting }) => !connecting).length, ended }
  process.send?.(summary, () => process.exit())
})
