/**
 * Loads a native addon out of the executable without touching a disk: its bytes go into a sealed memory file, which
 * works for any uid, under `noexec` mounts, and leaves nothing that somebody could replace.
 */
import { writeSync } from 'node:fs'
import { asset } from './assets.ts'

const MFD_CLOEXEC = 1
const MFD_ALLOW_SEALING = 2
const MFD_NOEXEC_SEAL = 8
const MFD_EXEC = 16
const F_ADD_SEALS = 1033
const ALL_SEALS = 1 | 2 | 4 | 8 // seal, shrink, grow, write

/** Call once per addon and keep the result. Only in the executable; from source, addons come by `require`. */
export function loadPackedAddon(name: 'koffi' | 'better_sqlite3'): unknown {
  const fd = sealedMemoryFile(name, asset(`native/${name}.node`))
  const module = { exports: {} }
  process.dlopen(module, `/proc/self/fd/${fd}`)
  return module.exports
}

/**
 * The descriptor stays open for good: glibc takes two libraries of the same name for the same one, and a closed
 * descriptor's number, hence its name below /proc/self/fd, would be given to the next addon.
 */
function sealedMemoryFile(name: string, bytes: Uint8Array): number {
  const libc = process.getBuiltinModule('node:ffi').dlopen(null, {
    memfd_create: { arguments: ['string', 'uint32'], return: 'int32' },
    fcntl: { arguments: ['int32', 'int32', 'int32'], return: 'int32' },
  }).functions

  // sysctl vm.memfd_noexec=2 refuses MFD_EXEC, and kernels before 6.3 know neither flag; mapping code works in all three cases.
  const fd = [MFD_EXEC, MFD_NOEXEC_SEAL, 0]
    .values()
    .map((flag) => libc.memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | flag))
    .find((result) => result >= 0)
  if (fd === undefined) throw new Error(`Cannot load addon "${name}": the kernel refuses memory files`)

  for (let written = 0; written < bytes.length; ) written += writeSync(fd, bytes, written)
  if (libc.fcntl(fd, F_ADD_SEALS, ALL_SEALS) !== 0) throw new Error(`Cannot load addon "${name}": sealing failed`)
  return fd
}
