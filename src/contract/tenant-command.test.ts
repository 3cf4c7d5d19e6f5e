import { describe, expect, it } from 'vitest'
import { TenantCommand } from './tenant-command.ts'

describe('a command of a tenant', () => {
  it.each([
    [['php', '-v']],
    [['sh', '-c', 'echo "$HOME" | wc; a=b']],
    [['printf', '%s', '', ' a ', '--']],
    [['--help']],
  ])('%j is taken word by word', (words) => {
    expect(TenantCommand.parse(words)).toEqual(words)
  })

  it.each([
    ['nothing', []],
    ['no program', ['', 'a']],
    ['an assignment of env(1)', ['LD_PRELOAD=evil.so', 'php']],
    ['NUL', ['php', 'a\0b']],
    ['a line end', ['php', 'a\nb']],
    ['an escape sequence', ['php', '\u001b[2J']],
    ['a turn of the reading direction', ['php', '\u202egnp.exe']],
    ['half a character', ['php', '\ud800']],
    ['too many words', Array.from({ length: 101 }, () => 'a')],
    ['too many bytes', ['php', 'é'.repeat(2048)]],
    ['a word that is none', ['php', 1]],
    ['a text', 'php -v'],
  ])('is refused with %s', (_, words) => {
    expect(TenantCommand.safeParse(words).success).toBe(false)
  })
})
