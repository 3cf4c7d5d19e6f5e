/** One panel for a directory: a second one would take sockets and agent away from the first. */
import { once } from 'node:events'
import { connect } from 'node:net'

export class AnotherPanel extends Error {
  override readonly name = 'AnotherPanel'
}

/** Throws `AnotherPanel` when somebody listens on the private socket; one that a killed panel left refuses connections. */
export async function refuseAnotherPanel(cliSocket: string): Promise<void> {
  const socket = connect(cliSocket)
  try {
    await once(socket, 'connect')
  } catch {
    return // nobody listens
  } finally {
    socket.destroy()
  }
  throw new AnotherPanel(`Cannot start: another panel listens on "${cliSocket}"`)
}
