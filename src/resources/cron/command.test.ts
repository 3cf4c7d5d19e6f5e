import { expect, it } from 'vitest'
import { Environment, wordsOfRun } from './command.ts'

it('puts the environment before the command, each variable a word of its own', () => {
  const words = wordsOfRun(['php', 'artisan', 'a=b'], ['APP_ENV=production', 'NOTE=two words; $(id) %n'])
  expect(words.data).toEqual([
    ...['/usr/bin/env', '--', 'APP_ENV=production', 'NOTE=two words; $(id) %n', 'php', 'artisan', 'a=b'],
  ])
  expect(wordsOfRun(['php', '-v'], []).data).toEqual(['php', '-v'])
})

it.each([
  ['a line end', ['A=b\n* * * * * root id']],
  ['NUL', ['A=b\0c']],
  ['no name', ['=b']],
  ['no value', ['A']],
  ['a name that env(1) would take for an option', ['-i=b']],
  ['a name that every run has', ['PATH=/tmp']],
  ['what the loader reads', ['LD_PRELOAD=/tmp/x.so']],
  ['a name twice', ['A=b', 'A=c']],
])('refuses %s', (_, environment) => expect(Environment.safeParse(environment).success).toBe(false))

it('refuses a command and an environment that are too long together', () => {
  const environment = Array.from({ length: 5 }, (_, place) => `A${place}=${'x'.repeat(900)}`)
  expect(Environment.safeParse(environment).success).toBe(true)
  expect(wordsOfRun(['php', '-v'], environment).success).toBe(false)
})
