/** Properties of what guards the boundary: nothing that can be expressed leaves its line, its path, its file or its range. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { groupRecord, userRecord } from '../../src/agent/kinds/tenant/user-records.ts'
import { layout } from '../../src/agent/os/layout.ts'
import { namesBelow } from '../../src/agent/os/walk.ts'
import { renderFpmConfig } from '../../src/agent/render/fpm.ts'
import { renderSystem } from '../../src/agent/render/render.ts'
import { encodeFrame, FrameDecoder } from '../../src/contract/frame.ts'
import {
  egressPolicies,
  Fqdn,
  Id,
  Line,
  PhpVersion,
  sshAccesses,
  TenantLimits,
  TenantName,
} from '../../src/contract/values.ts'
import { parseWakeQuestion } from '../../src/contract/wake.ts'
import { PanelMessage } from '../../src/contract/wire.ts'
import { canonicalDomain } from '../../src/lib/domain-name.ts'
import { plain } from '../../src/lib/print.ts'
import { safeUrl } from '../../src/lib/safe-url.ts'
import { parseForm } from '../../src/panel/http/form-body.ts'
import { parseHost } from '../../src/panel/http/host-check.ts'
import { parseStrictJson } from '../../src/panel/http/strict-json.ts'
import { jobContracts } from '../../src/resources/jobs.ts'
import { row } from '../faults/rows.ts'
import { parseConfigText } from './config-text.ts'

const numRuns = 4000
const nasty = fc.constantFrom(
  ...[...'\n\r\0;{}$#"\'\\ =[]/.-_@%<>&|`:,*?~^()!+\t\u2028\u202e\u0130\u212a\uff0e'],
  '..',
  'xn--',
  '://',
  'com',
)
const nearly = fc
  .array(fc.oneof(nasty, fc.constantFrom(...'abcxyz019-.')), { maxLength: 40 })
  .map((parts) => parts.join(''))
const anyText = fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), nearly, fc.string({ maxLength: 60 }))
const tenantName = fc.stringMatching(/^[a-z][a-z0-9]{2,23}$/)
const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?$/)
const hostName = fc
  .tuple(label, label, fc.constantFrom('com', 'example', 'co.uk', 'x9'))
  .map((labels) => labels.join('.'))
const limits = fc.record({
  cpuPct: fc.option(fc.integer({ min: 5, max: 10_000 })),
  memMb: fc.option(fc.integer({ min: 64, max: 1_048_576 })),
  pids: fc.option(fc.integer({ min: 16, max: 65_536 })),
  ioMbps: fc.option(fc.integer({ min: 1, max: 100_000 })),
  diskMb: fc.option(fc.integer({ min: 10, max: 1_073_741_824 })),
})
const places = layout('/')
const noLimits = { cpuPct: null, memMb: null, pids: null, ioMbps: null, diskMb: null }
const fpmValues = { socket: '/s', home: '/h', maxChildren: 1, memoryLimitMb: 64, maxRequestSeconds: 1, maxBodyMb: 1 }

/** Each is a claim about one validator. */
const claims: readonly (readonly [name: string, property: fc.IRawProperty<unknown>])[] = [
  [
    'a tenant name is one word of its grammar',
    fc.property(
      anyText,
      (text) => !TenantName.safeParse(text).success || (/^[a-z][a-z0-9]{2,23}$/.test(text) && !text.includes('\n')),
    ),
  ],
  [
    'a host name holds no path, no address, no line',
    fc.property(anyText, (text) => {
      const parsed = Fqdn.safeParse(text)
      return (
        !parsed.success ||
        (/^[a-z0-9.-]+$/.test(text) &&
          !text.includes('\n') &&
          text
            .split('.')
            .every((one) => one.length > 0 && one.length <= 63 && !one.startsWith('-') && !one.endsWith('-')))
      )
    }),
  ],
  [
    'a canonical domain is its own canonical form',
    fc.property(fc.oneof(anyText, hostName), (text) => {
      const once = canonicalDomain(text)
      if ('problem' in once) return true
      const again = canonicalDomain(once.name)
      return Fqdn.safeParse(once.name).success && 'name' in again && again.name === once.name
    }),
  ],
  [
    'another writing of a domain is the same domain',
    fc.property(hostName, (name) => {
      const [one, other] = [canonicalDomain(name), canonicalDomain(`${name.toUpperCase()}.`)]
      return 'problem' in one || ('name' in other && other.name === one.name)
    }),
  ],
  [
    'an id is a UUID and nothing more',
    fc.property(anyText, (text) => !Id.safeParse(text).success || /^[0-9a-fA-F-]{36}$/.test(text)),
  ],
  ['a PHP version is one of the list', fc.property(anyText, (text) => !PhpVersion.safeParse(text).success)],
  [
    'a line has no end, no control and no turn of direction',
    fc.property(anyText, (text) => {
      const { data } = Line.safeParse(text)
      return data === undefined || !/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u.test(data)
    }),
  ],
  [
    'limits are whole numbers in their range',
    fc.property(
      fc.record({
        cpuPct: fc.anything(),
        memMb: fc.anything(),
        pids: fc.anything(),
        ioMbps: fc.anything(),
        diskMb: fc.anything(),
        egress: fc.anything(),
        sshAccess: fc.anything(),
      }),
      (given) => {
        const parsed = TenantLimits.safeParse(given)
        if (!parsed.success) return true
        const { egress, sshAccess, ...numbers } = parsed.data
        const isKnown =
          (egress === undefined || egressPolicies.includes(egress)) &&
          (sshAccess === undefined || sshAccesses.includes(sshAccess))
        return (
          isKnown &&
          Object.values(numbers).every((value) => value === null || (Number.isSafeInteger(value) && value >= 1))
        )
      },
    ),
  ],
  [
    'a path of a tenant stays below the tenant',
    fc.property(tenantName, hostName, (name, fqdn) => {
      const [tenant, host] = [TenantName.parse(name), Fqdn.safeParse(fqdn)]
      if (!host.success) return true
      const paths = [places.customers.docroot(tenant, host.data), places.customers.site(tenant, host.data)]
      return (
        paths.every((path) => path.startsWith(`/srv/www/${name}/sites/`) && !path.split('/').includes('..')) &&
        places.web.host(host.data) === `/var/lib/wcp360-web/hosts/${fqdn}`
      )
    }),
  ],
  [
    'a path that root walks is plain and below its root',
    fc.property(
      fc.oneof(
        anyText,
        nearly.map((text) => `/srv/${text}`),
      ),
      (path) => {
        try {
          return namesBelow('/srv', path).every(
            (name) => name !== '' && name !== '..' && !name.includes('/') && !name.includes('\0'),
          )
        } catch {
          return true
        }
      },
    ),
  ],
  [
    'a value in a system template cannot end its line',
    fc.property(anyText, (text) => {
      try {
        renderSystem('php-fpm/tenant.conf.eta', { ...fpmValues, tenant: text })
        return /^[A-Za-z0-9_./:@\-[\]]*$/.test(text)
      } catch {
        return true
      }
    }),
  ],
  [
    'the configuration of PHP-FPM has the same lines for every tenant',
    fc.property(tenantName, limits, (name, given) => {
      const { sections, keys } = parseConfigText(
        renderFpmConfig(places, { name: TenantName.parse(name), limits: given }),
      )
      const { keys: usual } = parseConfigText(
        renderFpmConfig(places, { name: TenantName.parse('acme'), limits: noLimits }),
      )
      return sections.join() === `global,tenant-${name}` && keys.join() === usual.join()
    }),
  ],
  [
    'an account record is JSON of one account',
    fc.property(tenantName, fc.integer({ min: 20_000, max: 59_999 }), (name, uid) => {
      const tenant = { name: TenantName.parse(name), uid, gid: uid, php: '', limits: noLimits }
      const user = JSON.parse(userRecord(tenant, places.customers.home(tenant.name), 'sftp')) as Record<string, unknown>
      const group = JSON.parse(groupRecord(tenant)) as Record<string, unknown>
      return (
        user.uid === uid && user.gid === uid && user.userName === name && group.gid === uid && group.groupName === name
      )
    }),
  ],
  [
    'a frame comes out as it went in, or not at all',
    fc.property(fc.jsonValue({ maxDepth: 10 }), (value) => {
      try {
        const [seen] = new FrameDecoder().push(encodeFrame(value))
        return JSON.stringify(seen) === JSON.stringify(value)
      } catch (error) {
        return (error as Error).name === 'FrameError'
      }
    }),
  ],
  [
    'bytes are a frame or an error of the grammar',
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        new FrameDecoder().push(Buffer.from(bytes))
        return true
      } catch (error) {
        return (error as Error).name === 'FrameError'
      }
    }),
  ],
  [
    'no message of another shape is taken',
    fc.property(fc.anything({ withNullPrototype: false }), (value) => !PanelMessage.safeParse(value).success),
  ],
  [
    'no payload of another shape is taken',
    fc.property(
      fc.constantFrom(...Object.values(jobContracts)),
      fc.dictionary(fc.string(), fc.anything()),
      (contract, payload) => !contract.payload.safeParse(payload).success,
    ),
  ],
  [
    'a question of the waker is a host and nothing else',
    fc.property(
      fc.oneof(
        fc.anything(),
        anyText.map((wake) => ({ wake })),
      ),
      (value) => {
        const question = parseWakeQuestion(value)
        return question === undefined || /^[a-z0-9.-]{3,253}$/.test(question.wake)
      },
    ),
  ],
  [
    'a Host header is a name or an address',
    fc.property(fc.oneof(anyText, nearly), (text) => {
      const host = parseHost(text)
      return host === null || /^[a-z0-9._:-]+$/.test(host)
    }),
  ],
  [
    'a link leads here or to the web',
    fc.property(
      fc.oneof(
        anyText,
        nearly.map((text) => `/${text}`),
        nearly.map((text) => `javascript:${text}`),
      ),
      (text) => {
        const url = safeUrl(text)
        const there = new URL(url, 'https://panel.example/')
        return (
          ['https:', 'http:'].includes(there.protocol) && (there.host === 'panel.example' || /^https?:\/\//i.test(url))
        )
      },
    ),
  ],
  [
    'what a terminal gets has no control characters',
    fc.property(fc.string({ unit: 'binary' }), (text) => !/[\p{Cc}\u2028\u2029\u202a-\u202e]/u.test(plain(text))),
  ],
  [
    'a body of JSON is read in one way or refused',
    fc.property(fc.oneof(fc.json({ maxDepth: 12 }), anyText), (text) => {
      try {
        return JSON.stringify(parseStrictJson(text, 8)) === JSON.stringify(JSON.parse(text))
      } catch (error) {
        return (error as Error).name === 'WcpError'
      }
    }),
  ],
  [
    'a form reaches for no prototype',
    fc.property(
      fc.array(fc.tuple(fc.oneof(anyText, fc.constantFrom('__proto__', 'constructor', 'prototype')), anyText), {
        maxLength: 8,
      }),
      (fields) => {
        try {
          const form = parseForm(new URLSearchParams(fields).toString())
          return Object.getPrototypeOf(form) === null && !('polluted' in {})
        } catch (error) {
          return (error as Error).name === 'WcpError'
        }
      },
    ),
  ],
]

it.each(claims)('%s', async (name, property) => {
  const details = await fc.check(property as fc.IRawProperty<[unknown]>, { numRuns, seed: 20_261_121 })
  const outcome = details.failed
    ? `${name}: ${fc.stringify(details.counterexample).slice(0, 300)}`
    : 'nothing that can be said leaves its place'
  row({ fault: 'validators', name: 'of the boundary', cases: details.numRuns, failed: details.failed ? 1 : 0, outcome })
  expect(details.counterexample).toBeNull()
})
