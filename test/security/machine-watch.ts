/**
 * The oracle of every class: what the machine was before an attack, it is after it. Only what jobs of these customers may
 * change is left out.
 */
import { createHash } from 'node:crypto'
import { lstatSync, opendirSync, readFileSync, readlinkSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import { siteOf, type World } from '../faults/world.ts'
import { processesOf } from '../support/processes.ts'
import type { Product } from '../support/product.ts'
import { layersOf } from './own-layers.ts'
import type { Tally } from './tally.ts'

export interface Watched {
  readonly world: World
  readonly product: Product
  /** Lines of the log that an attack has brought about, as patterns; any other warning is a failure. */
  readonly explained: readonly RegExp[]
}

interface Seen {
  /** Of the machine itself, what the product has changed. */
  readonly machine: ReadonlyMap<string, string>
  readonly own: ReadonlyMap<string, string>
  readonly listening: readonly string[]
  readonly rootProcesses: readonly string[]
}

export class MachineWatch {
  readonly #watched: Watched
  #before: Seen
  /** Lines of the log that were looked at before. */
  #heard = 0

  private constructor(watched: Watched) {
    this.#watched = watched
    this.#before = this.#look()
  }

  static of(watched: Watched): MachineWatch {
    return new MachineWatch(watched)
  }

  /** From here on, after a test itself has changed something. */
  renew(): void {
    this.#before = this.#look()
  }

  /** Four cases: files, sockets, processes, and the neighbour who is served; then the words of the log. */
  async verify(tally: Tally, explained: readonly RegExp[] = []): Promise<void> {
    const before = this.#before
    const after = this.#look()
    tally.same([...changes(before.machine, after.machine), ...changes(before.own, after.own)], [], 'files have changed')
    tally.same(after.listening, before.listening, 'listening sockets have changed')
    tally.same(after.rootProcesses, before.rootProcesses, 'processes of root have changed')
    tally.same(await this.#watched.product.visit(siteOf('neighbour')), 200, 'the neighbour is not served')
    const known = [/^the agent is gone$/, ...this.#watched.explained, ...explained]
    const said = this.#watched.world.complaints()
    const lines = said.slice(this.#heard).filter((line) => !known.some((pattern) => pattern.test(line)))
    tally.same(this.#wholeLines(new Set(lines)).slice(0, 5), [], 'unexplained lines in the log')
    this.#heard = said.length
    this.#before = after
  }

  /** With the reason beside each message. */
  #wholeLines(messages: ReadonlySet<string>): readonly string[] {
    const all = this.#watched.product.output.split('\n')
    return [...messages].map((said) => all.findLast((line) => line.includes(JSON.stringify(said))) ?? said)
  }

  #look(): Seen {
    const { root, places, pids } = this.#watched.product
    const machine = new Map<string, string>()
    for (const { tree, layer } of layersOf(pids.agent)) {
      walk(layer, (path, stat) => {
        // The time of change is one that nobody can set (inode(7)).
        if (path !== layer) machine.set(join(tree, path.slice(layer.length)), `${stat.ino} ${stat.ctimeMs}`)
      })
    }
    const own = new Map<string, string>()
    const trees = ['etc', 'srv/www/neighbour', 'var/lib/wcp360-web/tenants/neighbour', 'var/lib/wcp360-web/tls']
    for (const tree of trees) {
      walk(join(root, tree), (path, stat) => {
        if (path.startsWith(places.userdb)) return // one record for each customer
        const content = stat.isSymbolicLink() ? readlinkSync(path) : stat.isFile() ? hash(path) : ''
        own.set(path, `${stat.mode.toString(8)} ${stat.uid}:${stat.gid} ${content}`)
      })
    }
    return { machine, own, listening: listening(root), rootProcesses: rootProcesses(root) }
  }
}

function walk(path: string, found: (path: string, stat: Stats) => void): void {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return
  found(path, stat)
  if (!stat.isDirectory()) return
  const directory = opendirSync(path)
  for (let entry = directory.readSync(); entry !== null; entry = directory.readSync())
    walk(join(path, entry.name), found)
  directory.closeSync()
}

function hash(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex')
}

function changes(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): readonly string[] {
  const paths = new Set([...before.keys(), ...after.keys()])
  return [...paths].filter((path) => before.get(path) !== after.get(path)).slice(0, 10)
}

/** Of the product's own processes, by what their descriptors are in /proc/net. */
function listening(root: string): readonly string[] {
  const inodes = new Set(processesOf(root).flatMap(({ pid }) => socketsOf(pid)))
  const tcp = ['tcp', 'tcp6'].flatMap((family) =>
    readFileSync(`/proc/net/${family}`, 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter(([, , , state, , , , , , inode]) => state === '0A' && inodes.has(inode ?? ''))
      .map(([, local = '']) => `${family} ${Number.parseInt(local.split(':')[1] ?? '', 16)}`),
  )
  return [...new Set(tcp)].sort()
}

function socketsOf(pid: number): readonly string[] {
  const inodes: string[] = []
  try {
    const directory = opendirSync(`/proc/${pid}/fd`)
    for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) {
      const socket = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${entry.name}`))?.[1]
      if (socket !== undefined) inodes.push(socket)
    }
    directory.closeSync()
  } catch {
    // it has ended, or the descriptor was closed meanwhile
  }
  return inodes
}

/** The programs, not their arguments: masters of PHP come and go with visits, and they are no process of root's. */
function rootProcesses(root: string): readonly string[] {
  const lasting = processesOf(root).filter(
    ({ uid, words }) => uid === 0 && !/^(\/usr\/bin\/)?(bwrap|prlimit|setpriv)$/.test(words[0] ?? ''),
  )
  return [...new Set(lasting.map(({ words }) => (words[0] ?? '').split(' ')[0] ?? ''))].filter(Boolean).sort()
}
