// Machines by hand, at the bench: `node test/e2e/harness/cli.ts` tells the verbs. Machines survive this process.

import { spawnSync } from 'node:child_process'
import { Machine } from './machine.ts'
import { allRecords, isAlive } from './machine-record.ts'
import { type Flavour, flavours } from './recipe.ts'
import { sshArguments } from './ssh.ts'
import { boot, build, start } from './start.ts'

const usage = `build [FLAVOUR...]           images and their running states; without names all: ${flavours.join(' ')}
up NAME FLAVOUR [--cold]     a machine, resumed (about 3 s) or booted
run NAME COMMAND...          as root, by the guest's shell; input and exit status pass through
cp NAME FILE :PATH           copy in, a directory with all that is in it
cp NAME :PATH FILE           copy out
fwd NAME PORT                the loopback port that leads to the guest's PORT
snap NAME [TAG]              keep the running state
restore NAME [TAG]           back to it; without TAG to the start
kill9 NAME, boot NAME        power cut; boot again from what had reached the disk
off NAME                     orderly shutdown
down NAME                    end it and drop its disks
console NAME                 what the serial console said
ls                           all machines`

const verbs: Readonly<Record<string, (name: string, rest: readonly string[]) => Promise<string>>> = {
  build: async (name, rest) => {
    const wanted = name ? [name, ...rest].map(flavourNamed) : flavours
    for (const flavour of wanted) await build(flavour)
    return `built ${wanted.join(' ')}`
  },
  up: async (name, [flavour = 'trixie-ready', cold]) => {
    const begin = cold === '--cold' ? boot : start
    const machine = await begin(flavourNamed(flavour), { name, survives: true })
    return `${name}: ssh on port ${machine.record.sshPort}`
  },
  run: async (name, rest) => {
    const { status } = spawnSync('ssh', sshArguments(Machine.attach(name).record, rest.join(' ')).slice(1), {
      stdio: 'inherit',
    })
    process.exitCode = status ?? 255
    return ''
  },
  cp: async (name, [from = '', to = '']) => {
    const machine = Machine.attach(name)
    if (from.startsWith(':')) await machine.copyOut(from.slice(1), to)
    else await machine.copyIn(from, to.replace(/^:/, ''))
    return `copied to ${to}`
  },
  fwd: async (name, [port]) => String(await Machine.attach(name).forward(Number(port))),
  snap: async (name, [tag]) => done(Machine.attach(name).snapshot(tag)),
  restore: async (name, [tag]) => done(Machine.attach(name).restore(tag)),
  kill9: async (name) => done(Machine.attach(name).powerCut()),
  boot: async (name) => done(Machine.attach(name).bootAgain()),
  off: async (name) => done(Machine.attach(name).powerOff()),
  down: async (name) => done(Machine.attach(name).stop()),
  console: async (name) => Machine.attach(name).console(),
  ls: async () => {
    const state = allRecords().map((record) => [
      record.name,
      record.flavour,
      isAlive(record) ? 'up' : 'off',
      `ssh ${record.sshPort}`,
      `pid ${record.pid}`,
    ])
    return state.map((line) => line.join('\t')).join('\n')
  },
}

const [verb = '', name = '', ...rest] = process.argv.slice(2)
const action = verbs[verb]
if (!action || (name === '' && verb !== 'ls' && verb !== 'build')) {
  console.error(usage)
  process.exit(2)
}
const began = performance.now()
try {
  const said = await action(name, rest)
  if (said) console.log(said)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
if (!['run', 'ls', 'fwd', 'console'].includes(verb))
  console.error(`${((performance.now() - began) / 1000).toFixed(1)} s`)

function flavourNamed(text: string): Flavour {
  const found = flavours.find((flavour) => flavour === text)
  if (!found) throw new Error(`Cannot find the flavour "${text}": there are ${flavours.join(', ')}`)
  return found
}

async function done(deed: Promise<void>): Promise<string> {
  await deed
  return 'done'
}
