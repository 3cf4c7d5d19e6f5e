/** `executable.ts` starts it, one at a time: another one may have built meanwhile. */
import { execFileSync } from 'node:child_process'
import { isFresh } from './executable.ts'

if (!isFresh()) execFileSync('npm', ['run', '--silent', 'build'], { stdio: ['ignore', 'inherit', 'inherit'] })
