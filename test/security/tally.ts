/** Counts what was tried of one class, and keeps what got through: one success does not hide the next. */
export class Tally {
  #cases = 0
  readonly broken: string[] = []

  /** One attack. @param held that it came to nothing @param what the attack and what was seen instead, for whoever mends it */
  held(held: boolean, what: string): void {
    this.#cases++
    if (!held) this.broken.push(what)
  }

  /** One attack, by what was seen of it and what must be seen. */
  same(seen: unknown, must: unknown, what: string): void {
    const [one, other] = [JSON.stringify(seen), JSON.stringify(must)]
    this.held(one === other, `${what}: ${one}, not ${other}`.slice(0, 500))
  }

  get cases(): number {
    return this.#cases
  }
}
