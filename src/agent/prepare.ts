/** Preconditions of the agent's work: directories with their exact modes, and secrets made once on this machine. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { SystemAccounts } from './os/accounts.ts'
import { selfSignedCertificate } from './os/certificate.ts'
import { createFiles, type Files, type Ownership } from './os/files.ts'
import type { Layout } from './os/layout.ts'
import { installedPhp } from './os/php-versions.ts'
import { ownPhp } from './os/run-as/own-php.ts'
import type { Services } from './os/services.ts'
import { rowMaps } from './render/site-rows.ts'
import { ownershipDiffers } from './steps/entry-step.ts'

export interface Preparation {
  readonly files: Files
  readonly places: Layout
  readonly accounts: SystemAccounts
  /** Host name of the panel, for its first certificate. */
  readonly host: string
}

/** Every directory that is no tenant's, parents before children. */
export function directories(places: Layout, accounts: SystemAccounts): readonly (readonly [string, Ownership])[] {
  const root = (mode: number, gid = 0): Ownership => ({ mode, uid: 0, gid })
  const panel = { mode: 0o700, ...accounts.panel }
  const waker = { mode: 0o700, ...accounts.waker }
  // What is made in it is of the panel's group, which shows each tenant the lines of its sites.
  const log = { mode: 0o2750, uid: accounts.log.uid, gid: accounts.panel.gid }
  return [
    [places.ssl, root(0o700)],
    [places.secrets, root(0o700)],
    [places.panelState, panel],
    [places.logs, root(0o711)],
    [places.webLogs, log],
    [places.tenantLogsRoot, root(0o711)],
    [places.userdb, root(0o755)],
    [places.run, root(0o755)],
    [places.panelRun, panel],
    [places.wakerRun, waker],
    [places.wakeRun, { ...waker, mode: 0o710, gid: accounts.workers.gid }],
    [places.webLogRun, root(0o755)],
    [places.fpmRun, root(0o755)],
    [places.runsRun, root(0o700)],
    [places.sessionRun, root(0o755)],
    [places.sessionsRun, root(0o700)],
    [places.credentials, root(0o711)],
    [places.panelCredentials, root(0o750, accounts.panel.gid)],
    [places.web.root, root(0o755)],
    [places.web.hosts, root(0o711)],
    [places.web.tenants, root(0o711)],
    [places.web.trash, root(0o700)],
    [places.web.pages, root(0o755)],
    [places.web.challenges, root(0o711)],
    [places.web.applications, root(0o755)],
    [places.web.settings, root(0o700)],
    [places.web.owedRows, root(0o700)],
    ...rowMaps.map((map) => [join(places.web.settings, map), root(0o700)] as const),
    [places.web.tls, root(0o711)],
    [places.web.defaultTls, root(0o750, accounts.workers.gid)],
    // Of all groups the web server's workers alone pass: below it a tenant may give its files whatever mode and group.
    [places.customers.root, root(0o710, accounts.workers.gid)],
    [places.customers.trash, root(0o700)],
  ]
}

/** The agent's own directory alone, which holds the lock: nothing else is touched before that is taken. */
export async function prepareAgentState(places: Layout): Promise<void> {
  await createFiles({ root: places.root, owner: 0 }).makeDirectory(places.agentState, { mode: 0o700, uid: 0, gid: 0 })
}

export async function prepareDirectories({ files, places, accounts }: Preparation): Promise<void> {
  for (const [path, ownership] of directories(places, accounts)) await files.makeDirectory(path, ownership)
  for (const php of installedPhp()) ownPhp(places, { php })
}

/** Without views of their own, tenants pass the gate above all customers' files as well; document roots are closed then. */
export async function openGate({ files, places }: Preparation, { hasOwnViews }: Services): Promise<void> {
  if (!hasOwnViews) await files.makeDirectory(places.customers.root, { mode: 0o711, uid: 0, gid: 0 })
}

/** Each secret is made once and never again: two installations share none (C36), and a restart changes none. */
export async function prepareSecrets(preparation: Preparation): Promise<void> {
  const { files, places, host } = preparation
  for (const key of [places.panelKey, places.applicationsKey]) {
    if (!files.existsNow(key)) await files.writeFile(key, `${randomBytes(32).toString('hex')}\n`, secret)
  }
  const { panel, web } = pairs(preparation)
  await certificate(files, panel, host)
  await certificate(files, web, 'localhost')
}

/** Owner and mode of the keys that are there. None is made: a certificate in use would be lost with it. */
export async function closeKeys(preparation: Preparation): Promise<void> {
  for (const pair of Object.values(pairs(preparation))) await closeKey(preparation.files, pair)
}

/** A certificate and its key. */
interface Pair {
  readonly certificate: string
  readonly key: string
  /** Of the key. */
  readonly own: Ownership
}

const secret = { mode: 0o600, uid: 0, gid: 0 }

function pairs({ places, accounts }: Preparation): { readonly panel: Pair; readonly web: Pair } {
  const { defaultTls, certificateFile, keyFile } = places.web
  return {
    panel: { certificate: places.panelCertificate, key: places.panelTlsKey, own: secret },
    web: {
      certificate: `${defaultTls}/${certificateFile}`,
      key: `${defaultTls}/${keyFile}`,
      own: { mode: 0o640, uid: 0, gid: accounts.workers.gid },
    },
  }
}

/** The certificate is written last: while it is missing, an interrupted attempt is simply made again. */
async function certificate(files: Files, pair: Pair, host: string): Promise<void> {
  if (files.existsNow(pair.certificate) && (await closeKey(files, pair))) return
  const made = await selfSignedCertificate(host)
  await files.writeFile(pair.key, made.key, pair.own)
  await files.writeFile(pair.certificate, made.certificate, { ...pair.own, mode: 0o644 })
}

/** @returns whether there is one */
async function closeKey(files: Files, { key: path, own }: Pair): Promise<boolean> {
  const key = await files.look(path)
  if (key.type === 'file' && ownershipDiffers(key, own)) await files.putBack(path, { ...key, ...own })
  return key.type === 'file'
}

/**
 * The part of /etc/wcp360 that the panel may read, in the form systemd's LoadCredential= gives it: for a machine without systemd,
 * and again before each start of the panel, so that a changed configuration arrives.
 */
export async function preparePanelCredentials({ files, places, accounts }: Preparation): Promise<void> {
  const own = { mode: 0o440, uid: 0, gid: accounts.panel.gid }
  for (const [name, source] of panelCredentials(places)) {
    await files.writeFile(`${places.panelCredentials}/${name}`, (await files.readText(source)) ?? '', own)
  }
}

/** Name of the credential and the file it is read from; the panel's unit lists the same. */
export function panelCredentials(places: Layout): readonly (readonly [string, string])[] {
  return [
    ['config.yaml', places.config],
    ['panel.key', places.panelKey],
    ['tls.crt', places.panelCertificate],
    ['tls.key', places.panelTlsKey],
  ]
}
