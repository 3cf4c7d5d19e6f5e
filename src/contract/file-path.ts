/**
 * Names of tenants' files as text. A name is bytes: what is no plain text (control and direction characters, invalid UTF-8) is
 * written as `%XX`, and so is `%` itself. Each name has one spelling, so what a list shows is what every other call takes.
 */
import { z } from 'zod'

const longestName = 255
/** Of the bytes of a path below a site; the kernel's own bound is 4,096 with what stands before it. */
const longestPath = 3_500
const deepest = 100

/** Invisible, or changes how what follows is read: controls, direction marks, unassigned, spaces other than the usual one. */
const unsafe = /[%\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}|^ | $/gu
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export function encodeName(name: Uint8Array): string {
  try {
    return utf8.decode(name).replace(unsafe, (one) => escaped(Buffer.from(one)))
  } catch {
    return [...name].map((byte) => (isPlain(byte) ? String.fromCharCode(byte) : escaped([byte]))).join('')
  }
}

/** undefined: not the spelling of any name that a file can have. */
export function decodeName(text: string): Buffer | undefined {
  if (text === '.' || text === '..') return undefined
  const bytes = Buffer.concat(text.split(/(%[0-9A-F]{2})/).map((part, place) => bytesOf(part, place % 2 === 1)))
  const isName = bytes.length > 0 && bytes.length <= longestName && !bytes.includes(0) && !bytes.includes(slash)
  return isName && encodeName(bytes) === text ? bytes : undefined
}

/** The names on the way; none for the place where paths begin. undefined: not a path. */
export function namesOf(path: string): readonly Buffer[] | undefined {
  if (path === '') return []
  const parts = path.split('/')
  if (parts.length > deepest) return undefined
  const names = parts.flatMap((part) => decodeName(part) ?? [])
  const size = names.reduce((sum, name) => sum + name.length + 1, 0)
  return names.length === parts.length && size <= longestPath ? names : undefined
}

/** Path of a thing in a directory. */
export function below(directory: string, name: string): string {
  return directory === '' ? name : `${directory}/${name}`
}

/** Path of the directory that holds it, and its own name. */
export function splitPath(path: string): { readonly parent: string; readonly name: string } {
  const place = path.lastIndexOf('/')
  return { parent: path.slice(0, Math.max(0, place)), name: path.slice(place + 1) }
}

const spelling = 'names separated by "/", as lists show them: odd characters as %XX, "%" as %25'

export const FileName = z
  .string()
  .max(3 * longestName)
  .refine((text) => decodeName(text) !== undefined, { error: 'a name, as lists show it' })
export type FileName = z.infer<typeof FileName>

/** Of a thing below the directory where paths begin. */
export const FilePath = z
  .string({ error: spelling })
  .max(3 * longestPath, { error: 'a shorter path' })
  .refine((text) => namesOf(text) !== undefined, { error: spelling })
export type FilePath = z.infer<typeof FilePath>

const slash = 0x2f

function bytesOf(part: string, isEscape: boolean): Buffer {
  return isEscape ? Buffer.from(part.slice(1), 'hex') : Buffer.from(part)
}

function isPlain(byte: number): boolean {
  return byte > 0x20 && byte < 0x7f && byte !== 0x25 && byte !== slash
}

function escaped(bytes: Iterable<number>): string {
  return [...bytes].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('')
}
