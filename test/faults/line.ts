/** The line between panel and agent in the test's hands: it stands between both, at the panel's own socket. */
import { chownSync, existsSync, renameSync, rmSync, statSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { encodeFrame, FrameDecoder } from '../../src/contract/frame.ts'
import { AgentMessage, PanelMessage } from '../../src/contract/wire.ts'
import { until, type World } from './world.ts'

/** What becomes of a message: the messages that are sent on in its place. */
type Rule<M> = (message: M) => readonly M[]

export class Line {
  readonly #behind: string
  readonly #server: Server
  #panel: Socket | undefined
  #agent: Socket | undefined
  #isFrozen = false
  toAgent: Rule<PanelMessage> = (message) => [message]
  toPanel: Rule<AgentMessage> = (message) => [message]
  /** Everything that was said, before the rules. */
  readonly saidByPanel: PanelMessage[] = []
  readonly saidByAgent: AgentMessage[] = []

  private constructor(behind: string) {
    this.#behind = behind
    this.#server = createServer((agent) => this.#accept(agent))
  }

  /** The panel is started again, and the agent held until the test stands at its socket. */
  static async between({ product }: World): Promise<Line> {
    const { agentSocket, panelRun } = product.places
    const before = product.pids
    const line = new Line(join(panelRun, 'behind.sock'))
    process.kill(before.panel ?? -1, 'SIGKILL')
    await until('the panel has ended', () => product.pids.panel !== before.panel)
    rmSync(agentSocket, { force: true }) // it leaves its socket; the next one makes another
    await until('another panel starts', () => product.pids.panel !== undefined)
    process.kill(before.agent, 'SIGSTOP')
    try {
      await until('it listens', () => existsSync(agentSocket))
      renameSync(agentSocket, line.#behind)
      await new Promise<void>((resolve) => line.#server.listen(agentSocket, resolve))
      const { uid, gid } = statSync(panelRun)
      chownSync(agentSocket, uid, gid)
    } finally {
      process.kill(before.agent, 'SIGCONT')
    }
    await until('the agent has come', () => line.#agent !== undefined)
    await product.until('both are connected', () => product.isConnected())
    return line
  }

  /** Said to the agent, as the panel would say it. */
  tellAgent(message: PanelMessage): void {
    this.#agent?.write(encodeFrame(message))
  }

  /** Cuts the line in the middle of a frame. */
  cutMidFrame(): void {
    this.#agent?.write(Buffer.from([0, 0, 1, 0, 123, 34]))
    this.#panel?.write(Buffer.from([0, 0, 1, 0, 123, 34]))
    this.#agent?.destroy()
    this.#panel?.destroy()
  }

  /** Nothing passes any more, and neither side is told. */
  freeze(): void {
    this.#isFrozen = true
  }

  /** Both ends are closed, and what comes next passes. */
  thaw(): void {
    this.#isFrozen = false
    this.#agent?.destroy()
    this.#panel?.destroy()
  }

  close(): void {
    this.#server.close()
    this.#agent?.destroy()
    this.#panel?.destroy()
    rmSync(this.#behind, { force: true })
  }

  #accept(agent: Socket): void {
    const panel = connect(this.#behind)
    this.#agent = agent
    this.#panel = panel
    const passOn = <M>(from: Socket, to: Socket, read: (value: unknown) => M, said: M[], rule: () => Rule<M>) => {
      const decoder = new FrameDecoder()
      from.on('data', (chunk: Buffer) => {
        for (const message of decoder.push(chunk).map(read)) {
          said.push(message)
          if (!this.#isFrozen)
            for (const one of rule()(message)) to.write(encodeFrame(one as PanelMessage | AgentMessage))
        }
      })
      from.on('error', () => {}) // 'close' follows
      from.on('close', () => to.destroy())
    }
    passOn(
      agent,
      panel,
      (value) => AgentMessage.parse(value),
      this.saidByAgent,
      () => this.toPanel,
    )
    passOn(
      panel,
      agent,
      (value) => PanelMessage.parse(value),
      this.saidByPanel,
      () => this.toAgent,
    )
  }
}
