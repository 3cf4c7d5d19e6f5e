/** Under systemd: the panel's port as its socket unit has it, when the configuration names another than the unit's own. */
import type { ListenAddress } from '../../lib/config.ts'
import { execOk } from './exec.ts'
import type { Files } from './files.ts'

const folder = '/run/systemd/system/wcpd-panel.socket.d'
const file = `${folder}/listen.conf`
const unitsOwn = '[::]:8360'

/** Below /run, so it is written anew at each boot; the socket unit starts after the agent. */
export async function setPanelPort(files: Files, { host, port }: ListenAddress): Promise<void> {
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
  const wanted = address === unitsOwn ? undefined : `[Socket]\nListenStream=\nListenStream=${address}\n`
  if ((await files.readText(file)) === wanted) return
  if (wanted === undefined) {
    await files.remove(file)
  } else {
    await files.makeDirectory(folder, { mode: 0o755, uid: 0, gid: 0 })
    await files.writeFile(file, wanted, { mode: 0o644, uid: 0, gid: 0 })
  }
  await execOk('/usr/bin/systemctl', ['daemon-reload'])
}
