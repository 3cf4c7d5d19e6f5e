/** Whether the engine changes anything now, and why not. */
export class Mode {
  #readOnly: string | null = null
  #isStopping = false

  /** Why the engine only inspects; null in normal operation. */
  get readOnly(): string | null {
    return this.#readOnly
  }

  /** No more work is begun: the engine is being closed, or its journal failed. */
  get isStopping(): boolean {
    return this.#isStopping
  }

  inspectOnly(reason: string): void {
    this.#readOnly = reason
  }

  /** @returns the first reason that was given */
  stop(reason: string): string {
    this.#isStopping = true
    this.#readOnly ??= reason
    return this.#readOnly
  }

  /** After a start that could not settle everything the engine stays up, and inspects. */
  stayUp(): void {
    if (this.#readOnly !== null) this.#isStopping = false
  }
}
