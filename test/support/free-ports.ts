/** Ports of loopback that nobody has at this moment. */
import { once } from 'node:events'
import { createServer } from 'node:net'

export interface Ports {
  readonly panel: number
  readonly http: number
  readonly https: number
}

export async function freePorts(): Promise<Ports> {
  const servers = await Promise.all(
    Array.from({ length: 3 }, async () => {
      const server = createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      return server
    }),
  )
  const [panel = 0, http = 0, https = 0] = servers.map((server) => {
    const address = server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  })
  for (const server of servers) server.close()
  return { panel, http, https }
}
