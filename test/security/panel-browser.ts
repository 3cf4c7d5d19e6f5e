/** A browser at the real panel: the token comes from a form that the visitor sees. */
import { Browser } from '../operations/support/client.ts'

export class PanelBrowser extends Browser {
  #seen: { readonly cookie: string | null; readonly token: string } | undefined

  override async token(): Promise<string> {
    if (this.#seen !== undefined && this.#seen.cookie === this.cookie) return this.#seen.token
    for (const path of ['/login', '/account']) {
      const { text } = await this.ask({ path, headers: { accept: 'text/html' } })
      const token = /name="_csrf" value="([^"]+)"/.exec(text)?.[1]
      if (token === undefined) continue
      this.#seen = { cookie: this.cookie, token }
      return token
    }
    throw new Error('no page has a form')
  }

  /** As another who has stolen both: with its cookie and its token. */
  goOn(other: PanelBrowser): this {
    this.cookie = other.cookie
    this.#seen = other.#seen
    return this
  }

  page(path: string) {
    return this.ask({ path, headers: { accept: 'text/html' } })
  }
}
