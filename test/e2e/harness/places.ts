// Where the harness keeps what it builds: images, warm states, machines; all of it can be deleted at any time.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

export const cacheDirectory = process.env.WCP_VM_CACHE ?? '/var/cache/wcp360-vm'

export const places = {
  images: join(cacheDirectory, 'images'),
  warm: join(cacheDirectory, 'warm'),
  machines: join(cacheDirectory, 'run'),
  locks: join(cacheDirectory, 'locks'),
  work: join(cacheDirectory, 'work'),
  qemu: join(cacheDirectory, 'qemu'),
  sshKey: join(cacheDirectory, 'key'),
} as const

export function makePlaces(): void {
  if (!/^\/[\w./-]{1,60}$/.test(cacheDirectory)) {
    throw new Error(
      `Cannot keep machines in "${cacheDirectory}": WCP_VM_CACHE must be a short absolute path of plain letters`,
    )
  }
  for (const name of ['images', 'warm', 'machines', 'locks', 'work'] as const) {
    mkdirSync(places[name], { recursive: true, mode: 0o700 })
  }
}
