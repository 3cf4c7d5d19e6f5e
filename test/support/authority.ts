/** A certification authority of the tests' own: real certificates for requests, and whatever else somebody might bring. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

interface Issue {
  /** PEM of the request; its names are taken. */
  readonly csr: string
  readonly from?: Date
  readonly days?: number
}

export class Authority {
  readonly #directory = mkdtempSync(join(tmpdir(), 'wcp-authority-'))
  /** PEM. */
  readonly root: string

  constructor() {
    const authority = ['-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign']
    this.#openssl('req', '-x509', ...newKey, '-days', '20', '-subj', '/CN=Authority', ...authority, ...this.#keyAndCert)
    this.root = this.#read('ca.crt')
  }

  /** The chain, the server's certificate first. */
  issue({ csr, from = new Date(Date.now() - 3_600_000), days = 10 }: Issue): string {
    this.#write('request.csr', csr)
    const until = new Date(from.getTime() + days * 86_400_000)
    this.#write('extensions', 'extendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n')
    this.#write('serial', `${crypto.randomUUID().replaceAll('-', '').slice(0, 16)}\n`)
    this.#write('index.txt', '')
    this.#write('ca.conf', this.#config())
    this.#openssl(
      ...['ca', '-batch', '-notext', '-config', this.#at('ca.conf'), '-in', this.#at('request.csr')],
      ...['-startdate', stamp(from), '-enddate', stamp(until), '-out', this.#at('leaf.crt')],
    )
    return `${this.#read('leaf.crt')}${this.root}`
  }

  /** A request for these names. @param key PEM; a new one unless given */
  request(names: readonly string[], key?: string): string {
    const own = key === undefined ? [...newKey, '-keyout', this.#at('own.key')] : ['-key', this.#write('own.key', key)]
    const alternatives = `subjectAltName=${names.map((name) => `DNS:${name}`).join(',')}`
    return this.#openssl('req', '-new', ...own, '-subj', '/', '-addext', alternatives)
  }

  dispose(): void {
    rmSync(this.#directory, { recursive: true, force: true })
  }

  get #keyAndCert(): string[] {
    return ['-keyout', this.#at('ca.key'), '-out', this.#at('ca.crt')]
  }

  #config(): string {
    return [
      ...['[ca]', 'default_ca=own', '[own]', `database=${this.#at('index.txt')}`, `serial=${this.#at('serial')}`],
      ...[`new_certs_dir=${this.#directory}`, `certificate=${this.#at('ca.crt')}`, `private_key=${this.#at('ca.key')}`],
      ...['default_md=sha256', 'policy=any', 'copy_extensions=copy', 'x509_extensions=server', 'unique_subject=no'],
      ...['[any]', 'commonName=optional', '[server]', this.#read('extensions')],
    ].join('\n')
  }

  #at(name: string): string {
    return join(this.#directory, name)
  }

  #write(name: string, text: string): string {
    writeFileSync(this.#at(name), text)
    return this.#at(name)
  }

  #read(name: string): string {
    return readFileSync(this.#at(name), 'utf8')
  }

  #openssl(...argv: string[]): string {
    return execFileSync('/usr/bin/openssl', argv, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  }
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc', '-sha256']

/** YYYYMMDDHHMMSSZ. */
function stamp(at: Date): string {
  return `${at.toISOString().replaceAll(/[-:T]|\.\d+/g, '')}`
}
