/** The pinned Node that becomes the executable, without what only a debugger reads. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stripElf } from './build-strip.ts'

/** The npm package that brings the binary for this machine. */
export const nodePackage = `node-linux-${process.arch}`

export function nodeBinary(root: string): string {
  return join(root, 'node_modules', nodePackage, 'bin/node')
}

export function writeStrippedNode(root: string, output: string): void {
  writeFileSync(output, stripElf(readFileSync(nodeBinary(root))), { mode: 0o755 })
}
