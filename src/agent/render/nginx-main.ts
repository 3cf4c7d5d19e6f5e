/**
 * The lines that all sites need in nginx's own file, which is the distribution's and otherwise the administrator's: workers under an
 * account of their own, since others share `www-data`, room for as many connections as a flood opens, and for the settings of sites.
 */
import { accountNames } from '../os/accounts.ts'

/** For each worker. A slow visitor holds one, a request to PHP two; 0.4 KB each whether used or not. */
const connections = 16_384
/** Two for each of these, and the files that are kept open. */
const openFiles = 65_536

/** A key of the maps of sites' settings is a host name and a path. Said before the first map, or nginx refuses it. */
const mapBucketBytes = 1024
const mapBuckets = 65_536
/** Each of these maps is a variable. */
const variables = 4096

/** Directives beyond these stay as they are. install.sh takes it back from the distribution's file. */
export function withOurNeeds(text: string): string {
  const own = text.replace(/^([^#\n]*?\buser\s+)www-data(?:\s+www-data)?(\s*;)/m, `$1${accountNames.workers}$2`)
  const roomy = atLeast(own, 'worker_connections', connections, /^([^#\n]*?\bevents\s*\{)/m)
  const open = atLeast(roomy, 'worker_rlimit_nofile', openFiles, /^([^#\n]*?)(?=\bevents\s*\{)/m)
  const begin = /^([^#\n]*?\bhttp\s*\{(?:[^\S\n]*\n)?)/m
  const varied = atLeast(open, 'variables_hash_max_size', variables, begin)
  return atLeast(atLeast(varied, 'map_hash_max_size', mapBuckets, begin), 'map_hash_bucket_size', mapBucketBytes, begin)
}

/** @param before after what its first capture has seen it is added where the directive is missing */
function atLeast(text: string, directive: string, least: number, before: RegExp): string {
  const written = new RegExp(`^([^#\\n]*?\\b${directive}\\s+)(\\d+)(\\s*;)`, 'm')
  if (!written.test(text)) {
    return text.replace(before, (first) => `${first}${/^$|\n$/.test(first) ? '' : '\n'}${directive} ${least};\n`)
  }
  return text.replace(written, (_, name, value, end) => `${name}${Math.max(Number(value), least)}${end}`)
}

/** Whether keys and sockets may belong to the workers' own group. */
export function hasOwnWorkers(text: string): boolean {
  return new RegExp(`^[^#\\n]*?\\buser\\s+${accountNames.workers}\\s*;`, 'm').test(text)
}
