/**
 * A line in which whoever comes in crowds waits behind their own crowd. Each has a path, such as network and address: at each
 * level the branches take turns, and when the line is too long it is the fullest branch that loses its last one.
 */
export type Path = readonly string[]

export class FairLine<T> {
  /** In the order of the last turn. */
  readonly #branches = new Map<string, FairLine<T>>()
  readonly #waiting = new Set<T>()
  #size = 0

  get size(): number {
    return this.#size
  }

  push(path: Path, item: T): void {
    const [name, ...rest] = path
    this.#size++
    if (name === undefined) return void this.#waiting.add(item)
    const branch = this.#branches.get(name) ?? new FairLine<T>()
    this.#branches.set(name, branch)
    branch.push(rest, item)
  }

  /** Whose turn it is. */
  shift(): T | undefined {
    const [first] = this.#waiting
    if (first !== undefined) return this.#take(first)
    const [next] = this.#branches
    if (next === undefined) return undefined
    const [name, branch] = next
    const item = branch.shift()
    this.#size--
    this.#branches.delete(name)
    if (branch.size > 0) this.#branches.set(name, branch)
    return item
  }

  /** The last one of the fullest branch; of branches that are alike, of the one that came last. */
  dropLast(): T | undefined {
    const fullest = [...this.#branches].reduce<readonly [string, FairLine<T>] | undefined>(
      (most, one) => (most !== undefined && most[1].size > one[1].size ? most : one),
      undefined,
    )
    const last = [...this.#waiting].at(-1)
    if (fullest === undefined) return last === undefined ? undefined : this.#take(last)
    const [name, branch] = fullest
    const item = branch.dropLast()
    this.#size--
    if (branch.size === 0) this.#branches.delete(name)
    return item
  }

  /** False when it is not there any more. */
  remove(path: Path, item: T): boolean {
    const [name, ...rest] = path
    if (name === undefined) {
      if (!this.#waiting.has(item)) return false
      this.#take(item)
      return true
    }
    const branch = this.#branches.get(name)
    if (branch === undefined || !branch.remove(rest, item)) return false
    this.#size--
    if (branch.size === 0) this.#branches.delete(name)
    return true
  }

  #take(item: T): T {
    this.#size--
    this.#waiting.delete(item)
    return item
  }
}
