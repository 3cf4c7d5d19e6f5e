/**
 * What the product changes of the machine lands in layers of its own (overlayfs in a mount namespace): every change there is
 * the product's, whatever else is installed or configured on the machine meanwhile.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'

const trees = ['/etc', '/usr', '/opt', '/var/spool', '/root']
/** Memory, in the namespace alone. */
const place = '/media'

/** The command, in such a namespace. The shell that makes it has become the command before anything is watched. */
export function layered(command: readonly string[]): readonly [string, ...string[]] {
  const mounts = trees.map((tree) => {
    const [upper, work] = [join(place, tree, 'upper'), join(place, tree, 'work')]
    const options = `lowerdir=${tree},upperdir=${upper},workdir=${work}`
    return `mkdir -p ${upper} ${work}\nmount -t overlay layer -o ${options} ${tree}`
  })
  const script = `set -e\nmount -t tmpfs -o mode=0755 layers ${place}\n${mounts.join('\n')}\nexec "$@"`
  return ['/usr/bin/unshare', '--mount', '--propagation', 'private', '/bin/sh', '-c', script, 'sh', ...command]
}

/** Where the layers are seen from outside. @param pid of a process in the namespace @throws when it is in none */
export function layersOf(pid: number): readonly { readonly tree: string; readonly layer: string }[] {
  return trees.map((tree) => {
    const layer = join(`/proc/${pid}/root`, place, tree, 'upper')
    if (!existsSync(layer)) throw new Error(`process ${pid} has no layer over ${tree}`)
    return { tree, layer }
  })
}
