/** A person in front of a fresh DokuWiki: sets it up, signs in, writes a page and reads it back. */
import { Visitor } from './visitor.ts'

const credentials = { user: 'writer', password: 'a long enough password' }

export class Wiki {
  readonly #visitor: Visitor

  /** @param base where the web server answers, @param host the name of the site. */
  constructor(base: string, host: string) {
    this.#visitor = new Visitor(base, host)
  }

  async setUp(title: string): Promise<void> {
    const { text } = await this.#visitor.send('POST', '/install.php', {
      l: 'en',
      'd[title]': title,
      'd[acl]': 'on',
      'd[superuser]': credentials.user,
      'd[fullname]': 'The Writer',
      'd[email]': 'writer@example.com',
      'd[password]': credentials.password,
      'd[confirm]': credentials.password,
      'd[policy]': '0',
      'd[license]': 'cc-by-sa',
      submit: '',
    })
    if (!text.includes('The configuration was finished successfully'))
      throw new Error(`Cannot set the wiki up: ${text}`)
  }

  async signIn(): Promise<void> {
    const form = await this.read('/doku.php?id=start&do=login')
    const { user: u, password: p } = credentials
    await this.#visitor.submit(form, '/doku.php', { do: 'login', id: 'start', u, p })
    if (!(await this.read('/doku.php?id=start')).includes('do=logout')) throw new Error('Cannot sign in to the wiki')
  }

  async write(page: string, wikitext: string): Promise<void> {
    const form = await this.read(`/doku.php?id=${page}&do=edit`)
    await this.#visitor.submit(form, '/doku.php', { id: page, wikitext, summary: 'written', 'do[save]': 'Save' })
  }

  read(target: string): Promise<string> {
    return this.#visitor.get(target)
  }
}
