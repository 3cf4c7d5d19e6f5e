// Files in and out of a machine, as a tar stream over ssh.

import { mkdirSync, statSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { command, pipe } from './command.ts'
import type { MachineRecord } from './machine-record.ts'
import { quoted, sshArguments } from './ssh.ts'

export type CopyOptions = {
  /** Patterns of tar(1) that are left out, such as `./node_modules`. */
  readonly exclude?: readonly string[]
  readonly timeout?: number
}

export async function copyIn(
  record: MachineRecord,
  from: string,
  to: string,
  { exclude = [], timeout = 300_000 }: CopyOptions,
): Promise<void> {
  const { mode } = statSync(from)
  const isDirectory = statSync(from).isDirectory()
  const skipped = exclude.map((pattern) => `--exclude=${pattern}`)
  const pack = [
    'tar',
    '-C',
    isDirectory ? from : dirname(from),
    ...skipped,
    '--owner=0',
    '--group=0',
    '-c',
    '--',
    isDirectory ? '.' : basename(from),
  ]
  const unpack = isDirectory
    ? `mkdir -p ${quoted(to)} && tar -C ${quoted(to)} -x`
    : `mkdir -p ${quoted(dirname(to))} && tar -x -O >${quoted(to)} && chmod ${(mode & 0o7777).toString(8)} ${quoted(to)}`
  await pipe(pack, sshArguments(record, unpack), timeout)
}

export async function copyOut(
  record: MachineRecord,
  from: string,
  to: string,
  { exclude = [], timeout = 300_000 }: CopyOptions,
): Promise<void> {
  const isDirectory = (await command(sshArguments(record, `test -d ${quoted(from)}`))).code === 0
  const skipped = exclude.map((pattern) => quoted(`--exclude=${pattern}`)).join(' ')
  const pack = isDirectory ? `tar -C ${quoted(from)} ${skipped} -c .` : `cat ${quoted(from)}`
  const unpack = isDirectory ? ['tar', '-C', to, '--no-same-owner', '-x'] : ['dd', 'status=none', `of=${to}`]
  mkdirSync(isDirectory ? to : dirname(to), { recursive: true })
  await pipe(sshArguments(record, pack), unpack, timeout)
}
