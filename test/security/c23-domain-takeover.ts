import type { Answer } from '../operations/support/client.ts'
import type { Tried } from './attack-class.ts'
import { type Customer, panelHost, type Stage, zone } from './stage.ts'

export const domainTakeover: Tried = {
  name: 'names of others, of the machine, of everybody',
  holds: 'refused in every writing; what nobody has is served after its proof and not before',
  notYet: 'certificates, mail',
  async attack(stage, tally) {
    const { butcher } = stage
    for (const fqdn of [...writings(stage.baker.site), ...notToBeHad]) {
      for (const body of [{ fqdn }, { fqdn: `fine-of-c23.${zone}`, aliases: [fqdn] }]) {
        const { status } = await claim(butcher, body)
        tally.held([409, 422].includes(status), `${JSON.stringify(body).slice(0, 100)}: ${status}`)
      }
    }

    const wanted = `wanted.${zone}`
    const [theirs, mine] = [await claim(stage.baker, { fqdn: wanted }), await claim(butcher, { fqdn: wanted })]
    const [right, foreign] = [recordOf(theirs), recordOf(mine)]
    tally.held(right !== undefined && foreign !== undefined && right !== foreign, 'two tenants are asked for one value')
    const others = recordOf(await claim(butcher, { fqdn: `others.${zone}` }))
    const label = '_wcp360-challenge.wanted'
    // All of what is nearly the proof, so that one look sees it.
    await stage.dns.set(zone, [
      ...[others, foreign?.slice(0, -1), `${foreign}x`, foreign?.toUpperCase()].map(
        (value) => `${label} TXT "${value}"`,
      ),
      `${label} TXT "${foreign}" " "`,
      ...['wanted', '_wcp360-challenge', '_wcp360-challenge.www.wanted'].map((name) => `${name} TXT "${foreign}"`),
    ])
    await looked(stage, String(mine.json().id))
    tally.same(await statusOf(stage, mine), 'unverified', 'values of other names, cut, longer, in capitals, elsewhere')
    tally.held((await stage.product.visit(wanted)) !== 200, 'a name is served without a proof')
    for (const verb of ['verify', 'vouch']) {
      const { status } = await butcher.browser.call('POST', `/api/v1/domains/${theirs.json().id}/${verb}`)
      tally.held([403, 404].includes(status), `${verb} for another: ${status}`)
    }
    tally.same((await butcher.browser.call('POST', `/api/v1/domains/${mine.json().id}/vouch`)).status, 403, 'vouching')

    // Both have set their record: the first proof wins, and what is above and below the name is won with it.
    await stage.dns.set(zone, [`${label} TXT "${right}"`])
    await looked(stage, String(theirs.json().id))
    await stage.world.settled()
    tally.same(await statusOf(stage, theirs), 'active', 'the proof of the owner')
    await stage.dns.set(zone, [`${label} TXT "${foreign}"`])
    await looked(stage, String(mine.json().id))
    tally.same(await statusOf(stage, mine), 'unverified', 'a second proof of the same name')
    for (const fqdn of [`shop.${wanted}`, zone, wanted])
      tally.held((await claim(butcher, { fqdn })).status === 409, `${fqdn} after another has proven "${wanted}"`)

    // Given up, and taken by somebody else, who is asked for a proof even where nobody else is.
    await stage.root('PATCH', '/settings/domains.ask_proof', { value: false })
    const given = `given-up.${zone}`
    await stage.root('POST', '/domains', { tenant: 'bakery', fqdn: given, php: 'none' })
    await stage.world.settled()
    await stage.root('DELETE', `/domains/${given}`)
    await stage.world.settled()
    const again = await claim(butcher, { fqdn: given })
    await stage.world.settled()
    tally.held(
      again.status >= 400 || (await statusOf(stage, again)) === 'unverified',
      "a name that was another's lately",
    )
    tally.held((await stage.product.visit(given)) !== 200, "a name that was another's lately is served")
    await stage.root('PATCH', '/settings/domains.ask_proof', { value: true })
  },
}

/** Of a name that is somebody's, and what belongs to him with it. */
function writings(name: string): readonly string[] {
  return [
    name,
    `${name}.`,
    name.toUpperCase(),
    ...['sub', 'a.b', 'www', '*'].map((label) => `${label}.${name}`),
    name.replace('.', '。'),
    name.replace('.', '．'),
    name.replace('a', 'ａ'),
    name.replace('k', '\u212a'),
    name.slice(name.indexOf('.') + 1),
    'neighbour.example.com',
    'x.neighbour.example.com',
  ]
}

const notToBeHad = [
  ...['com', 'co.uk', 'github.io', 'localhost', 'x.localhost', 'x.invalid', 'x.onion', '1.0.0.127.in-addr.arpa'],
  ...['127.0.0.1', '0x7f.1', '0x7f.0x1', '2130706433', '[::1]', '::1', '1.2', '１２７.0.0.1'],
  ...['a..b', '-a.com', 'a-.com', '.a.com', `${'a'.repeat(64)}.com`, `${'a.'.repeat(130)}com`, 'xn--a.com', 'a_b.com'],
  ...['a b.com', 'a.com/', 'a.com:80', 'a@b.com', 'a.com\n', 'a.com\0', 'a.com#', '\u202ea.com', 'a\u200d.com'],
  ...['a.com; } server {', '$host.com', '%61.com', '*.com', 'a.com,b.com'],
  ...[panelHost, `x.${panelHost}`, panelHost.slice(panelHost.indexOf('.') + 1)],
]

function claim({ name, browser }: Customer, body: object): Promise<Answer> {
  return browser.call('POST', '/api/v1/domains', { tenant: name, ...body })
}

function recordOf(answer: Answer): string | undefined {
  const [record] = (answer.json().records ?? []) as { readonly value: string }[]
  return record?.value
}

async function statusOf({ root }: Stage, claimed: Answer): Promise<unknown> {
  return (await root('GET', `/domains/${claimed.json().id}`)).json().status
}

/** Has the panel look, as whoever asks for the proof may, and waits until it has. */
async function looked({ root, product }: Stage, id: string): Promise<void> {
  const tries = async () => {
    const [proof] = (await root('GET', `/domains/${id}/proofs`)).json().items ?? []
    return JSON.stringify(proof?.tries ?? 'proven')
  }
  const before = await tries()
  await root('POST', `/domains/${id}/verify`)
  await product.until('the DNS was asked', async () => (await tries()) !== before, 30_000)
}
