import { expect, it } from 'vitest'
import { shellsOf } from './executed.ts'

const execve = (pid: number, program: string) => `${pid} execve("${program}", ["${program}", "-c", "x"], ["A=b"]) = 0`

it('finds a shell that is no command of a tenant', () => {
  const lines = [
    execve(10, '/usr/bin/setpriv'),
    '10 setresuid(20001, 20001, 20001) = 0',
    execve(10, '/usr/bin/env'),
    execve(11, '/bin/sh'),
    execve(10, '/bin/dash'),
    '12 setresuid(998, 998, 998) = 0',
    execve(12, '/usr/bin/bash'),
    '13 setresuid(20001, 20001, 20001) = 0',
    execve(13, '/bin/sh'),
  ]

  expect(shellsOf(lines)).toEqual(['/bin/sh -c x', '/usr/bin/bash -c x', '/bin/sh -c x'])
})
