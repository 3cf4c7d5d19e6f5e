/** A person in front of a fresh DokuWiki: signs in, gives it a name, writes a page and reads it back. */
import { Visitor } from './visitor.ts'

const credentials = { user: 'writer', password: 'a long enough password' }

/**
 * What DokuWiki's own set-up page would have written, which Debian leaves out: files below `conf/`.
 * @param hash of the writer's password, as PHP's `password_hash` makes it
 */
export function firstConfiguration(hash: string): Readonly<Record<string, string>> {
  return {
    'local.php': "<?php\n$conf['useacl'] = 1;\n$conf['superuser'] = '@admin';\n$conf['license'] = '0';\n",
    'acl.auth.php': '# <?php exit()?>\n*\t@ALL\t8\n',
    'users.auth.php': `# <?php exit()?>\n${credentials.user}:${hash}:The Writer:writer@example.com:admin,user\n`,
  }
}

export const hashWithPhp = [
  'php',
  '-r',
  `echo password_hash(${JSON.stringify(credentials.password)}, PASSWORD_BCRYPT);`,
]

export class Wiki {
  readonly #visitor: Visitor

  /** @param base where the web server answers, @param host the name of the site. */
  constructor(base: string, host: string) {
    this.#visitor = new Visitor(base, host)
  }

  /** In the configuration manager, with pages as paths below doku.php; only for a superuser who has signed in. */
  async rename(title: string): Promise<void> {
    const form = await this.read('/doku.php?id=start&do=admin&page=config')
    const fields = {
      id: 'start',
      do: 'admin',
      page: 'config',
      save: '1',
      'config[title]': title,
      'config[userewrite]': '2',
    }
    const page = await this.#visitor.submit(form, '/doku.php', fields)
    if (!page.includes(title)) throw new Error(`Cannot rename the wiki: ${page}`)
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
