/** A server on which the product has been installed by its own installer; made once per build, then resumed in seconds. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildOnce } from './build-once.ts'
import type { Machine } from './harness/machine.ts'
import type { Flavour } from './harness/recipe.ts'
import { warm } from './harness/start.ts'

const minutes = 60_000

export async function installed(flavour: Flavour): Promise<Machine> {
  await buildOnce()
  return await warm(flavour, `installed-${productHash()}`, async (machine) => {
    await copyPrebuilt(machine)
    await machine.succeed('cd /root/wcp360 && ./install.sh --prebuilt /root/wcp360/dist/wcpd', {
      timeout: 20 * minutes,
    })
    await machine.settled()
  })
}

/** What `--prebuilt` needs: the installer, and the executable. */
export async function copyPrebuilt(machine: Machine): Promise<void> {
  await buildOnce()
  await machine.copyIn('install.sh', '/root/wcp360/install.sh')
  await machine.copyIn('systemd', '/root/wcp360/systemd')
  await machine.copyIn('dist/wcpd', '/root/wcp360/dist/wcpd')
}

function productHash(): string {
  const files = ['install.sh', 'dist/wcpd', ...readdirSync('systemd').map((name) => join('systemd', name))]
  const hash = createHash('sha256')
  for (const file of files.toSorted()) hash.update(`${file}\0`).update(readFileSync(file))
  return hash.digest('hex')
}
