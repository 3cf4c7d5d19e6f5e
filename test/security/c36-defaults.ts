import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type ConnectionOptions, connect } from 'node:tls'
import { executable } from '../support/executable.ts'
import { Product } from '../support/product.ts'
import type { Tried } from './attack-class.ts'
import type { Stage } from './stage.ts'

const usual = ['admin', 'administrator', 'root', 'test', 'wcp360', 'user']

export const defaults: Tried = {
  name: 'what every installation would share',
  holds: 'no secret of two installations is the same, no account waits, old TLS is refused',
  async attack(stage, tally) {
    const other = await Product.make({ command: [executable()] })
    try {
      await other.start()
      await other.stop()
      const [one, two] = [secretsOf(stage.product), secretsOf(other)]
      tally.held(one.size >= 4 && two.size >= 4, `only ${one.size} and ${two.size} secrets were found`)
      for (const [text, file] of one) tally.held(!two.has(text), `"${file}" is the same in two installations`)
    } finally {
      await other.dispose()
    }
    for (const file of filesBelow(stage.product.places.secrets)) {
      const { uid, mode, size } = statSync(file)
      if (size === 0) continue // a mark that says nothing but that it is there
      tally.held(uid === 0 && (mode & 0o077) === 0, `"${file}" has mode ${mode.toString(8)}`)
    }
    for (const [index, name] of usual.entries()) {
      for (const word of [name, 'password', '123456', 'changeme']) {
        const { status } = await stage
          .browser(`127.36.${index}.1`)
          .form('/login', { email: `${name}@example.com`, password: word })
        tally.held(status === 401 || status === 429, `${name} with "${word}": ${status}`)
      }
    }
    for (const maxVersion of ['TLSv1', 'TLSv1.1'] as const)
      tally.same(
        await handshake(stage, { minVersion: 'TLSv1', maxVersion, ciphers: 'ALL:@SECLEVEL=0' }),
        'refused',
        maxVersion,
      )
    for (const ciphers of [
      'RC4-MD5:@SECLEVEL=0',
      'DES-CBC3-SHA:@SECLEVEL=0',
      'NULL-SHA256:@SECLEVEL=0',
      'ADH-AES128-SHA256:@SECLEVEL=0',
      'AES128-SHA:@SECLEVEL=0',
    ])
      tally.same(await handshake(stage, { maxVersion: 'TLSv1.2', ciphers }), 'refused', ciphers)
    tally.same(await handshake(stage, { minVersion: 'TLSv1.3' }), 'taken', 'TLS 1.3')
  },
}

function filesBelow(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

/** Content → file. */
function secretsOf({ places }: Product): ReadonlyMap<string, string> {
  const files = [
    ...filesBelow(places.secrets),
    ...filesBelow(places.ssl),
    join(places.web.defaultTls, places.web.keyFile),
  ]
  return new Map(
    files.map((file) => [readFileSync(file, 'latin1'), file] as const).filter(([text]) => text.length >= 16),
  )
}

function handshake({ product }: Stage, options: ConnectionOptions): Promise<'taken' | 'refused'> {
  const { promise, resolve } = Promise.withResolvers<'taken' | 'refused'>()
  try {
    const socket = connect({ host: '127.0.0.1', port: product.ports.panel, rejectUnauthorized: false, ...options })
    socket.on('secureConnect', () => {
      socket.destroy()
      resolve('taken')
    })
    socket.on('error', () => resolve('refused'))
  } catch {
    resolve('refused') // our own library knows no such cipher any more
  }
  return promise
}
