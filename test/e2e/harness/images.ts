// Debian images: a kernel, an initial RAM disk, a root disk and a /srv disk, built from packages and kept by the hash of their recipe.

import { randomUUID } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { succeed } from './command.ts'
import { assembleDokuwiki } from './dokuwiki.ts'
import { prepareHost } from './host.ts'
import { exclusively } from './lock.ts'
import { places } from './places.ts'
import { keepNewest, touch } from './prune.ts'
import { type Flavour, type Recipe, recipe, recipeHash } from './recipe.ts'

export type Image = { readonly flavour: Flavour; readonly hash: string; readonly directory: string }

/** The image of a flavour, built (a minute or two) when the cache has none of its recipe. */
export async function image(flavour: Flavour): Promise<Image> {
  await prepareHost()
  const wanted = await recipe(flavour)
  const hash = recipeHash(wanted)
  const found: Image = { flavour, hash, directory: join(places.images, `${flavour}-${hash}`) }
  if (!existsSync(found.directory)) {
    await exclusively(`image-${flavour}`, 1_800_000, async () => {
      if (!existsSync(found.directory)) await build(wanted, found.directory)
    })
  }
  touch(found.directory)
  keepNewest(places.images, flavour, 2)
  return found
}

async function build(from: Recipe, directory: string): Promise<void> {
  const work = join(places.work, `image-${from.flavour}`)
  const root = join(work, 'root')
  const out = join(work, 'out')
  rmSync(work, { recursive: true, force: true })
  mkdirSync(out, { recursive: true })
  await bootstrap(from, root, join(work, 'debs'))
  await customize(from, root)
  await addDokuwiki(from, root, work)
  copyFileSync(newest(root, 'vmlinuz-'), join(out, 'vmlinuz'))
  copyFileSync(newest(root, 'initrd.img-'), join(out, 'initrd.img'))
  writeFileSync(join(out, 'packages.txt'), await succeed(['chroot', root, 'dpkg-query', '-W']))
  writeFileSync(join(out, 'recipe.json'), JSON.stringify(from, null, 2))
  writeFileSync(join(out, 'build-id'), randomUUID())
  await makeDisk(join(out, 'root.qcow2'), '12G', [...from.rootFileSystem, '-d', root])
  await makeDisk(join(out, 'srv.qcow2'), '8G', from.srvFileSystem)
  renameSync(out, directory)
  rmSync(work, { recursive: true, force: true })
}

async function bootstrap(from: Recipe, root: string, debs: string): Promise<void> {
  mkdirSync(debs)
  const initramfs = `mkdir -p "$1/etc/initramfs-tools/conf.d"; printf 'COMPRESS=lz4\\nMODULES=list\\n' >"$1/etc/initramfs-tools/conf.d/harness"`
  const modules = `printf 'virtio_pci\\nvirtio_blk\\nvirtio_rng\\next4\\n' >"$1/etc/initramfs-tools/modules"`
  const download = `cd '${debs}' && APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get -qq download ${from.dokuwiki.join(' ')}`
  const argv = [
    'mmdebstrap',
    '--quiet',
    '--variant=minbase',
    '--aptopt=APT::Install-Recommends "false"',
    ...from.aptSettings.map((setting) => `--aptopt=${setting.replace(/;$/, '')}`),
    '--dpkgopt=path-exclude=/usr/share/man/*',
    '--dpkgopt=path-exclude=/usr/share/locale/*/LC_MESSAGES/*.mo',
    '--dpkgopt=path-exclude=/usr/share/doc/*',
    `--setup-hook=${initramfs}; ${modules}`,
    ...(from.dokuwiki.length > 0 ? [`--customize-hook=${download}`] : []),
    `--include=${from.packages.join(',')}`,
    from.suite,
    root,
    ...from.sources,
  ]
  await succeed(argv, { timeout: 1_200_000, env: { LC_ALL: 'C.UTF-8', PATH: `${process.env.PATH}:/usr/sbin:/sbin` } })
}

async function customize(from: Recipe, root: string): Promise<void> {
  for (const name of ['etc/resolv.conf', 'etc/apt/apt.conf.d/99mmdebstrap', 'etc/dpkg/dpkg.cfg.d/99mmdebstrap'])
    rmSync(join(root, name), { force: true })
  for (const [path, text] of Object.entries(from.files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text, { mode: path.startsWith('/root/') ? 0o600 : 0o644 })
  }
  chmodSync(join(root, 'root/.ssh'), 0o700)
  const units = join(root, 'etc/systemd/system')
  for (const unit of from.masked) {
    rmSync(join(units, unit), { force: true })
    symlinkSync('/dev/null', join(units, unit))
  }
  const inside = (...argv: string[]) =>
    succeed(['chroot', root, 'env', 'LC_ALL=C.UTF-8', ...argv], { timeout: 120_000 })
  await inside('systemctl', 'enable', 'systemd-networkd.service')
  await inside('update-ca-certificates')
  await inside('ssh-keygen', '-q', '-A')
  await succeed(['chroot', root, 'chpasswd'], { input: `root:${from.rootPassword}\n` })
}

async function addDokuwiki(from: Recipe, root: string, work: string): Promise<void> {
  if (from.dokuwiki.length === 0) return
  const unpacked = join(work, 'unpacked')
  for (const deb of readdirSync(join(work, 'debs'))) await succeed(['dpkg', '-x', join(work, 'debs', deb), unpacked])
  mkdirSync(join(root, 'opt'), { recursive: true })
  assembleDokuwiki(unpacked, join(root, 'opt/dokuwiki'))
}

async function makeDisk(path: string, size: string, fileSystem: readonly string[]): Promise<void> {
  const raw = `${path}.raw`
  writeFileSync(raw, '')
  truncateSync(raw, Number.parseInt(size, 10) * 2 ** 30)
  await succeed(['/sbin/mkfs.ext4', '-q', ...fileSystem, raw], { timeout: 300_000 })
  await succeed(['qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', raw, path], { timeout: 300_000 })
  rmSync(raw)
}

function newest(root: string, prefix: string): string {
  const name = readdirSync(join(root, 'boot'))
    .filter((entry) => entry.startsWith(prefix))
    .sort()
    .at(-1)
  if (!name)
    throw new Error(
      `Cannot find a kernel: no "${prefix}*" in ${readFileSync(join(root, 'etc/os-release'), 'utf8').split('\n')[0]}`,
    )
  return join(root, 'boot', name)
}
