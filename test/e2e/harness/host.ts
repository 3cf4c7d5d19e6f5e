// What this host must have to build and run machines; installed by apt when missing.

import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { hostAptSources } from './apt-sources.ts'
import { command, succeed } from './command.ts'
import { exclusively } from './lock.ts'
import { makePlaces, places } from './places.ts'

export type Qemu = { readonly program: string; readonly version: string }

const programs = {
  mmdebstrap: 'mmdebstrap',
  'qemu-system-x86_64': 'qemu-system-x86',
  'qemu-img': 'qemu-utils',
  nc: 'netcat-openbsd',
  ssh: 'openssh-client',
  'ssh-keygen': 'openssh-client',
  'mkfs.ext4': 'e2fsprogs',
  setpriv: 'util-linux',
  lz4: 'lz4',
} as const

let prepared: Promise<Qemu> | undefined

/** Makes the host ready, once per process, and names the QEMU to use. */
export function prepareHost(): Promise<Qemu> {
  makePlaces()
  prepared ??= exclusively('host', 900_000, async () => {
    await installPrograms()
    await makeSshKey()
    return (await newerQemu()) ?? qemuAt('qemu-system-x86_64')
  })
  return prepared
}

export function hostSuite(): string {
  return /^VERSION_CODENAME=(\w+)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? ''
}

async function installPrograms(): Promise<void> {
  const directories = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin']
  const missing = Object.entries(programs).filter(
    ([name]) => !directories.some((directory) => existsSync(join(directory, name))),
  )
  const keyring = existsSync('/usr/share/keyrings/debian-archive-keyring.gpg') ? [] : ['debian-archive-keyring']
  const packages = [...new Set([...missing.map(([, packageName]) => packageName), ...keyring])]
  if (packages.length === 0) return
  await succeed(['apt-get', '-qq', 'update'], { timeout: 300_000 })
  await succeed(['apt-get', '-qq', 'install', '-y', '--no-install-recommends', ...packages], {
    timeout: 900_000,
    env: { DEBIAN_FRONTEND: 'noninteractive' },
  })
}

async function makeSshKey(): Promise<void> {
  if (existsSync(places.sshKey)) return
  await succeed(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', 'wcp360-test-machines', '-f', places.sshKey])
}

/** Bookworm's QEMU 7.2 forks four times as slowly under emulation as 10: take that from the backports, beside the host's own. */
async function newerQemu(): Promise<Qemu | undefined> {
  if (hostSuite() !== 'bookworm') return undefined
  const program = join(places.qemu, 'usr/bin/qemu-system-x86_64')
  const refused = `${places.qemu}.unusable` // tried once and in vain: not again on every start
  if (existsSync(program)) return qemuAt(program)
  if (existsSync(refused)) return undefined
  try {
    await unpackBackports(['qemu-system-x86', 'qemu-system-common', 'qemu-system-data', 'qemu-utils'])
    return await qemuAt(program)
  } catch (cause) {
    rmSync(places.qemu, { recursive: true, force: true })
    writeFileSync(refused, `${cause}\n`)
    return undefined
  }
}

async function unpackBackports(packages: readonly string[]): Promise<void> {
  const work = join(places.work, 'backports')
  const debs = join(work, 'debs')
  for (const name of ['lists/partial', 'cache/archives/partial', 'debs', 'root'])
    mkdirSync(join(work, name), { recursive: true })
  const mirror = hostAptSources().find(({ suites }) => suites.includes('bookworm'))?.uri
  const line = `deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${mirror} bookworm`
  writeFileSync(join(work, 'sources.list'), `${line}-backports main\n${line} main\n`)
  const settings = [
    `Dir::Etc::SourceList=${join(work, 'sources.list')}`,
    'Dir::Etc::SourceParts=/nonexistent',
    `Dir::State::Lists=${join(work, 'lists')}`,
    `Dir::Cache=${join(work, 'cache')}`,
    'Dir::State::status=/dev/null',
    'APT::Sandbox::User=root',
  ]
  const apt = ['apt-get', '-qq', ...settings.flatMap((setting) => ['-o', setting])]
  await succeed([...apt, 'update'], { timeout: 300_000 })
  await succeed([...apt, 'download', ...packages.map((name) => `${name}/bookworm-backports`), 'seabios'], {
    cwd: debs,
    timeout: 300_000,
  })
  for (const deb of readdirSync(debs)) await succeed(['dpkg', '-x', join(debs, deb), join(work, 'root')])
  renameSync(join(work, 'root'), places.qemu)
  rmSync(work, { recursive: true, force: true })
}

async function qemuAt(program: string): Promise<Qemu> {
  const { stdout } = await command([program, '--version'])
  const version = /version (\S+)/.exec(stdout)?.[1]
  if (!version) throw new Error(`Cannot run "${program}": it does not tell its version`)
  return { program, version }
}
