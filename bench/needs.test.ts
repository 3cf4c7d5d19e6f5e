import { expect, it } from 'vitest'
import { missing } from './needs.ts'

it('names a missing program, and the benches that need it', () => {
  const site = { name: 'site', needs: ['/usr/bin/no-such-program', process.execPath] }
  const reads = { name: 'reads', needs: ['/usr/bin/no-such-program'] }

  expect(missing([site, reads, { name: 'version' }])).toEqual([
    '/usr/bin/no-such-program is missing, which these need: site, reads',
  ])
})
