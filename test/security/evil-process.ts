/**
 * The panel in wrong hands: a process with its uid and nothing else. It ends the panel, takes the place of its socket, and
 * speaks to the agent that dials. One line of JSON on standard input says what to do; progress goes to standard output.
 */
import { linkSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { encodeFrame, FrameDecoder } from '../../src/contract/frame.ts'
import { AgentMessage } from '../../src/contract/wire.ts'
import { EvilFrames, type Known } from './evil-frames.ts'

export interface EvilOrder {
  /** Where the agent dials. */
  readonly socket: string
  readonly panelPid: number
  readonly frames: number
  readonly seed: number
  readonly known: Known
}

export interface EvilReport {
  readonly frames: number
  readonly connections: number
  readonly kinds: Readonly<Record<string, number>>
  /** Bursts after which the agent should have hung up and did not within the time it has. */
  readonly tolerated: readonly string[]
  /** What the agent said that is no message of its own. */
  readonly strange: number
  readonly answers: number
}

/** Far more than the agent's longest pause between two tries: the machine may be busy with other things. */
const patienceMs = 60_000

class Evil {
  readonly #order: EvilOrder
  readonly #server: Server
  #agent: Socket | undefined
  #answers = 0
  #strange = 0
  /** The last burst, for whoever looks for what it brought about. */
  #last = 'nothing'

  constructor(order: EvilOrder) {
    this.#order = order
    this.#server = createServer((agent) => this.#welcome(agent))
  }

  async run(): Promise<EvilReport> {
    const { socket, panelPid, frames: wanted, seed, known } = this.#order
    const made = new EvilFrames(seed, known)
    const kinds: Record<string, number> = {}
    const tolerated: string[] = []
    let frames = 0
    let connections = 0
    await this.#takePlace(socket, panelPid)
    while (frames < wanted) {
      const agent = await this.#connected()
      const closed = new Promise<boolean>((resolve) => agent.once('close', () => resolve(true)))
      connections++
      const { kind, pieces, mustClose } = made.next()
      kinds[kind] = (kinds[kind] ?? 0) + 1
      frames += pieces.length
      this.#last = `${frames} frames, the last ones ${kind}: ${pieces.at(-1)?.subarray(0, 300).toString('latin1')}`
      if (kind === 'half') for (const piece of pieces) agent.write(piece)
      else agent.write(Buffer.concat(pieces))
      if (mustClose) {
        const hungUp = await Promise.race([closed, pause(patienceMs, false, { ref: false })])
        if (!hungUp) tolerated.push(`${kind}: ${pieces.at(-1)?.subarray(0, 200).toString('latin1')}`)
      } else await pause(2)
      agent.destroy()
      // It may have dialled again before its hanging up was seen here.
      if (this.#agent === agent) this.#agent = undefined
      if (connections % 100 === 0) process.stdout.write(`${JSON.stringify({ frames })}\n`)
    }
    this.#server.close()
    for (const path of [socket, `${socket}.evil`]) rmSync(path, { force: true })
    return {
      frames,
      connections,
      kinds,
      tolerated: tolerated.slice(0, 5),
      strange: this.#strange,
      answers: this.#answers,
    }
  }

  /** Whoever has the uid may signal the panel and move what is in its directory. */
  async #takePlace(socket: string, panelPid: number): Promise<void> {
    rmSync(`${socket}.evil`, { force: true })
    await new Promise<void>((resolve) => this.#server.listen(`${socket}.evil`, resolve))
    process.kill(panelPid, 'SIGKILL')
  }

  /** Its socket appears anew until the agent has dialled. */
  async #connected(): Promise<Socket> {
    const { socket } = this.#order
    let asked = performance.now()
    for (const deadline = performance.now() + patienceMs; this.#agent === undefined; ) {
      if (performance.now() > deadline) throw new Error(`the agent does not dial any more, after ${this.#last}`)
      rmSync(socket, { force: true })
      linkSync(`${socket}.evil`, socket)
      await pause(1)
      if (performance.now() > asked + 500) {
        asked = performance.now()
        process.stdout.write(`${JSON.stringify({ panelIsBetween: true })}\n`)
      }
    }
    return this.#agent
  }

  #welcome(agent: Socket): void {
    this.#agent = agent
    const decoder = new FrameDecoder()
    agent.on('error', () => {}) // 'close' follows
    agent.on('data', (chunk: Buffer) => {
      try {
        for (const value of decoder.push(chunk)) {
          this.#answers++
          const message = AgentMessage.safeParse(value)
          if (!message.success) this.#strange++
          // Half of the ends are acknowledged, so that the journal has some of each.
          else if (message.data.t === 'finished' && this.#answers % 2 === 0)
            agent.write(encodeFrame({ t: 'ack', job: message.data.job }))
        }
      } catch {
        this.#strange++
      }
    })
  }
}

const input = createInterface({ input: process.stdin })
for await (const line of input) {
  const order: EvilOrder = JSON.parse(line)
  process.stdout.write(`${JSON.stringify({ report: await new Evil(order).run() })}\n`)
  break
}
input.close()
