/**
 * Chain and key of a site for another service of this machine, such as a mail server: copied to where root says, for root alone.
 * The daemon may run, and is not asked: what is served is what is copied.
 */
import { createPrivateKey } from 'node:crypto'
import { isAbsolute, join, normalize } from 'node:path'
import { WcpError } from '../../contract/errors.ts'
import type { RescueReport, RescueRequest } from '../../contract/rescue.ts'
import { Fqdn, TenantName } from '../../contract/values.ts'
import { canonicalDomain } from '../../lib/domain-name.ts'
import { isFor, placesOf } from '../kinds/certificate/facts.ts'
import { createFiles, type Files } from '../os/files.ts'
import type { Layout } from '../os/layout.ts'

type Request = Extract<RescueRequest, { do: 'export-certificate' }>

const rootOnly = { mode: 0o600, uid: 0, gid: 0 }

/** What is there already is not written again, so that its time tells whether it is news. */
export async function exportCertificate(places: Layout, { name, directory }: Request): Promise<RescueReport> {
  const fqdn = named(name)
  demandPlace(directory)
  const own = createFiles({ root: places.root, owner: 0 })
  const { chain, key } = await served(own, places, fqdn)
  // every directory on the way is root's, or nothing is written
  const files = createFiles({ root: '/', owner: 0 })
  const [chainFile, keyFile] = [join(directory, `${fqdn}.crt`), join(directory, `${fqdn}.key`)]
  // the key stays over renewals: who reads both in between reads a pair
  const isNewKey = await written(files, keyFile, key)
  const isNewChain = await written(files, chainFile, chain)
  if (!isNewKey && !isNewChain) return { did: [`"${chainFile}" and "${keyFile}" are what is served.`], next: [] }
  return {
    did: [`"${chainFile}" and "${keyFile}" were written, for root alone.`],
    next: [
      'Have the service read them anew. After a renewal this command writes the new chain, and nothing otherwise.',
    ],
  }
}

function named(text: string): Fqdn {
  const read = canonicalDomain(text)
  if ('name' in read) return read.name
  throw refused('name', `"${text}" ${read.problem}`, 'a name of a site, such as shop.example.com')
}

function demandPlace(directory: string): void {
  if (isAbsolute(directory) && normalize(directory) === directory) return
  throw refused(
    'to',
    `"${directory}" is no absolute path`,
    'an absolute path such as /etc/ssl/mail, without .. and / at its end',
  )
}

function refused(field: string, problem: string, accepted: string): WcpError {
  return new WcpError('bad_input', `Cannot export the certificate: ${problem}`, {
    fields: [{ field, problem, accepted }],
  })
}

/** By the links of the web server: `hosts/<name>` leads to the site, and there `tls` to the certificate in use. */
async function served(files: Files, places: Layout, fqdn: Fqdn): Promise<{ chain: string; key: string }> {
  const host = await files.look(places.web.host(fqdn))
  const [, tenant, site] = (host.type === 'link' && /\/tenants\/([^/]+)\/sites\/([^/]+)$/.exec(host.target)) || []
  if (tenant === undefined || site === undefined)
    throw new WcpError('not_found', `Cannot export the certificate: no site of this machine has the name "${fqdn}"`)
  const at = placesOf({ places }, { name: TenantName.parse(tenant) }, Fqdn.parse(site))
  const link = await files.look(at.served)
  const isOwn = link.type === 'link' && link.target === places.web.ownTls
  const [chain, key] = isOwn ? [await files.readText(at.chain), await files.readText(at.key)] : []
  if (chain === undefined || key === undefined)
    throw new WcpError('not_found', `Cannot export the certificate: "${fqdn}" has none of its own yet`, {
      help: `"wcp certificate get ${site}" tells what is missing.`,
    })
  if (!isFor(chain, createPrivateKey(key)))
    throw new WcpError(
      'conflict',
      `Cannot export the certificate: that of "${fqdn}" is for another key than the one that is there`,
    )
  return { chain, key }
}

async function written(files: Files, path: string, text: string): Promise<boolean> {
  const found = await files.look(path)
  if (found.type !== 'absent' && found.type !== 'file')
    throw new WcpError('conflict', `Cannot export the certificate: "${path}" is a ${found.type}`)
  const isSame = found.type === 'file' && Buffer.from(found.base64, 'base64').toString('utf8') === text
  const isOurs = found.type === 'file' && found.mode === rootOnly.mode && found.uid === 0 && found.gid === 0
  if (isSame && isOurs) return false
  await files.writeFile(path, text, rootOnly)
  return true
}
