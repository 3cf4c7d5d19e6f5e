/**
 * Role `wcpd database-link <socket>`: hands bytes to and fro between descriptor 3 and a database server, and nothing else.
 * The server asks the kernel who connects, so this runs as the account that the server knows; it ends with either side.
 */
import { createConnection, Socket } from 'node:net'
import { pipeline } from 'node:stream/promises'

export async function main([path = '']: readonly string[]): Promise<number> {
  const asker = new Socket({ fd: 3, readable: true, writable: true })
  try {
    await pipeline(asker, createConnection(path), asker)
    return 0
  } catch {
    return 1 // the asker sees its end break off
  }
}
