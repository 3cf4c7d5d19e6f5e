/**
 * What the writer of the web server's logs has counted of each tenant. It is an unprivileged process that reads strangers'
 * words, so its file is data: a plain file of a bounded size in the form that is expected, or nothing.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { z } from 'zod'
import type { TrafficCounters } from '../../contract/usage.ts'
import { errorCode } from '../os/error-code.ts'
import type { Layout } from '../os/layout.ts'
import { asDirectory, at } from '../os/walk.ts'
import type { MeasuredTenant } from './measured-tenant.ts'

/** About 60 bytes a tenant, of whom there are at most 40,000. */
const mostBytes = 4 * 1024 * 1024

const Counters = z.record(z.string(), z.strictObject({ since: z.iso.datetime(), sent: z.int().min(0) }))

export async function trafficCounters(
  { trafficCounters: path }: Layout,
  tenants: readonly MeasuredTenant[],
): Promise<TrafficCounters> {
  const counters = new Map(Object.entries(Counters.parse(JSON.parse(textOf(path) ?? '{}'))))
  return tenants.flatMap(({ id, account }) => {
    const counted = account === null ? undefined : counters.get(account.name)
    return counted === undefined ? [] : [{ tenant: id, ...counted }]
  })
}

/** Neither the directory nor the file may be a link; a pipe is not waited for. */
function textOf(path: string): string | undefined {
  try {
    const directory = openSync(dirname(path), asDirectory)
    try {
      return plainText(openSync(at(directory, basename(path)), readOnly))
    } finally {
      closeSync(directory)
    }
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    throw error
  }
}

const readOnly = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

function plainText(file: number): string {
  try {
    const found = fstatSync(file)
    if (!found.isFile() || found.size > mostBytes) throw new Error('the counters of traffic are no file of theirs')
    return readFileSync(file, 'utf8')
  } finally {
    closeSync(file)
  }
}
