/**
 * Looks at many places one after the other, for a process that does nothing else: directories on the way are verified as
 * `walk.ts` does it, but entered only once for all that is below them. Call `forget` before the machine may have changed.
 */
import { closeSync, fstatSync, openSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { errorCode } from './error-code.ts'
import { type Entry, lookAt } from './files.ts'
import {
  asDirectory,
  type DirectoryFd,
  demandTrusted,
  groupMayWriteOnTheWay,
  namesBelow,
  openBelow,
  type Trust,
} from './walk.ts'

interface Entered {
  readonly directory: DirectoryFd
  readonly uid: number
  readonly mode: number
}

export class LookNow {
  readonly #trust: Trust
  /** By path below the root. */
  readonly #entered = new Map<string, Entered>()

  constructor(trust: Trust) {
    this.#trust = trust
  }

  /** As `Files.look`. */
  look(path: string): Entry {
    const names = namesBelow(this.#trust.root, dirname(path))
    try {
      return lookAt(this.#enter(names, false), basename(path))
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return { type: 'absent' }
      throw error
    }
  }

  forget(): void {
    for (const { directory } of this.#entered.values()) closeSync(directory)
    this.#entered.clear()
  }

  #enter(names: readonly string[], isOnTheWay: boolean): DirectoryFd {
    const place = names.join('/')
    const entered = this.#entered.get(place) ?? this.#open(names, place)
    const path = `${this.#trust.root.replace(/\/$/, '')}/${place}`
    demandTrusted(entered, this.#trust, path, isOnTheWay && groupMayWriteOnTheWay.has(place))
    return entered.directory
  }

  #open(names: readonly string[], place: string): Entered {
    const name = names.at(-1)
    const directory =
      name === undefined
        ? openSync(this.#trust.root, asDirectory)
        : openBelow(this.#enter(names.slice(0, -1), true), name)
    const { uid, mode } = fstatSync(directory)
    const entered = { directory, uid, mode }
    this.#entered.set(place, entered)
    return entered
  }
}
