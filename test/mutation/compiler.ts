/** Sources as the compiler reads them, and whether it would take a changed one: what it refuses is noticed already. */
import type { SourceFile } from 'typescript/unstable/ast'
import { API } from 'typescript/unstable/sync'

export class Compiler implements Disposable {
  readonly #top: string
  readonly #changed = new Map<string, string>()
  readonly #api: API

  /** @param top absolute; its `tsconfig.json` says what belongs to it */
  constructor(top: string) {
    this.#top = top
    this.#api = new API({ cwd: top, fs: { readFile: (path) => this.#changed.get(path) } })
    this.#api.updateSnapshot({ openProjects: [`${top}/tsconfig.json`] })
  }

  parsed(source: string): SourceFile {
    const file = this.#program().getSourceFile(`${this.#top}/${source}`)
    if (file === undefined) throw new Error(`Cannot find the source "${source}"`)
    return file
  }

  takes(source: string, text: string): boolean {
    const path = `${this.#top}/${source}`
    this.#changed.set(path, text)
    try {
      const program = this.#program(path)
      return program.getSyntacticDiagnostics(path).length === 0 && program.getSemanticDiagnostics(path).length === 0
    } finally {
      this.#changed.delete(path)
      this.#program(path)
    }
  }

  [Symbol.dispose](): void {
    this.#api.close()
  }

  #program(changed?: string) {
    const snapshot = this.#api.updateSnapshot(changed === undefined ? {} : { fileChanges: { changed: [changed] } })
    const [project] = snapshot.getProjects()
    if (project === undefined) throw new Error('Cannot open the project of the compiler')
    return project.program
  }
}
