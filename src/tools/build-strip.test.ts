import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { nodeBinary, writeStrippedNode } from './build-node.ts'
import { stripElf } from './build-strip.ts'
import { repository } from './build-tree.ts'

const folder = mkdtempSync(join(tmpdir(), 'wcp-strip-'))
afterAll(() => rmSync(folder, { recursive: true }))

it('makes Node smaller, and it still runs', () => {
  const stripped = join(folder, 'node')

  writeStrippedNode(repository, stripped)

  expect(statSync(stripped).size).toBeLessThan(statSync(nodeBinary(repository)).size * 0.8)
  expect(execFileSync(stripped, ['--version'], { encoding: 'utf8' }).trim()).toBe(process.version)
})

it('refuses what is no ELF program', () => {
  expect(() => stripElf(Buffer.from('#!/bin/sh\n'))).toThrow('Cannot strip')
})
