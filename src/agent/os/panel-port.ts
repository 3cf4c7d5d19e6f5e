/** Under systemd: the panel's ports as its socket unit has them, when the configuration names others than the unit's own. */
import type { ListenAddress } from '../../lib/config.ts'
import { execOk } from './exec.ts'
import type { Files } from './files.ts'

const folder = '/run/systemd/system/wcpd-panel.socket.d'
const file = `${folder}/listen.conf`
const unitsOwn = '[::]:8360'

/** Below /run, so it is written anew at each boot; the socket unit starts after the agent. */
export async function setPanelPorts(files: Files, addresses: readonly ListenAddress[]): Promise<void> {
  const lines = addresses.map(addressOf)
  const isUnitsOwn = lines.length === 1 && lines[0] === unitsOwn
  const wanted = isUnitsOwn ? undefined : ['[Socket]', 'ListenStream=', ...lines.map(listenStream), ''].join('\n')
  if ((await files.readText(file)) === wanted) return
  if (wanted === undefined) {
    await files.remove(file)
  } else {
    await files.makeDirectory(folder, { mode: 0o755, uid: 0, gid: 0 })
    await files.writeFile(file, wanted, { mode: 0o644, uid: 0, gid: 0 })
  }
  await execOk('/usr/bin/systemctl', ['daemon-reload'])
}

const addressOf = ({ host, port }: ListenAddress) => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`)
const listenStream = (address: string) => `ListenStream=${address}`
