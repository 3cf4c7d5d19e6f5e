/**
 * The root side's part of a talk with a certification authority. It never talks to the network: it signs what the panel
 * sends there, and chooses names and keys itself, so that a panel in wrong hands gets certificates for nobody's key but
 * those of this machine, and for no names but its sites'.
 */
import { createHmac } from 'node:crypto'
import type { AcmePayload, AcmeRequest, AcmeToken, SignedRequest } from '../../contract/acme.ts'
import { WcpError } from '../../contract/errors.ts'
import type { Fqdn, Id } from '../../contract/values.ts'
import type { Registry, SiteRecord } from '../jobs/registry.ts'
import { certificateIn, placesOf } from '../kinds/certificate/facts.ts'
import { namesOf } from '../kinds/domain/facts.ts'
import { siteIn, tenantIn } from '../kinds/judge.ts'
import type { Machine } from '../os/machine.ts'
import { readKey } from '../steps/private-key.ts'
import { type AccountKey, accountKey } from './account-key.ts'
import { derOf, signingRequest } from './signing-request.ts'

/** A proof is looked at within minutes. */
const proofMs = 3_600_000
const mostProofs = 2000

export class AuthorityAnswers {
  readonly #machine: Machine
  readonly #registry: () => Registry
  #key: Promise<AccountKey> | undefined
  /** Token → when it was published; undefined before the leftovers of an earlier start are gone. */
  #proofs: Promise<Map<string, number>> | undefined

  constructor(machine: Machine, registry: () => Registry) {
    this.#machine = machine
    this.#registry = registry
  }

  async sign({ url, nonce, account, payload }: AcmeRequest): Promise<SignedRequest> {
    if ((account === null) !== (payload.is === 'account'))
      throw new WcpError('bad_input', 'Cannot sign: the account’s address goes with everything but its own request')
    // first of all: what is not to be signed leaves no key behind
    const said = await this.#payload(payload, url)
    const key = await this.#accountKey()
    const who = account === null ? { jwk: key.jwk } : { kid: account }
    return signed({ alg: 'ES256', ...who, nonce, url }, said, (text) => key.sign(text))
  }

  /** PEM, for all names that the site has now. */
  async signingRequest(id: Id): Promise<string> {
    const { site, key } = await this.#site(id)
    return signingRequest(key, namesOf(site))
  }

  /** For all names: which of them is asked for decides the authority. */
  async prove(token: AcmeToken, isThere: boolean): Promise<null> {
    const proofs = await this.#currentProofs()
    const path = `${this.#machine.places.web.challenges}/${token}`
    if (!isThere) {
      await this.#machine.files.remove(path)
      proofs.delete(token)
      return null
    }
    if (proofs.size >= mostProofs) throw new WcpError('busy', 'Cannot publish a proof: too many are there')
    proofs.set(token, this.#machine.now().getTime())
    const { thumbprint } = await this.#accountKey()
    await this.#machine.files.writeFile(path, `${token}.${thumbprint}`, { mode: 0o644, uid: 0, gid: 0 })
    return null
  }

  async #payload(payload: AcmePayload, url: string): Promise<unknown> {
    switch (payload.is) {
      case 'read':
        return null
      case 'ready':
        return {}
      case 'account': {
        const { contact, binding } = payload
        const { jwk } = await this.#accountKey()
        const mac = (text: string) =>
          createHmac('sha256', Buffer.from(binding?.key ?? '', 'base64url'))
            .update(text)
            .digest('base64url')
        return {
          termsOfServiceAgreed: true,
          ...(contact !== null && { contact: [`mailto:${contact}`] }),
          ...(binding !== null && {
            externalAccountBinding: signed({ alg: 'HS256', kid: binding.kid, url }, jwk, mac),
          }),
        }
      }
      case 'order': {
        const { names } = await this.#chosen(payload)
        const identifiers = names.map((value) => ({ type: 'dns', value }))
        return { identifiers, ...(payload.replaces !== null && { replaces: payload.replaces }) }
      }
      case 'finalize': {
        const { names, key: path } = await this.#chosen(payload)
        return { csr: derOf(await signingRequest(path, names)) }
      }
    }
  }

  /** Of the site's names, those that the panel finds ready. */
  async #chosen({ certificate, names }: { certificate: Id; names: readonly Fqdn[] }) {
    const { site, key } = await this.#site(certificate)
    const foreign = names.filter((name) => !namesOf(site).includes(name))
    if (foreign.length > 0)
      throw new WcpError('conflict', `Cannot sign: ${foreign.join(', ')} is no name of "${site.fqdn}"`)
    return { names, key }
  }

  async #site(id: Id): Promise<{ site: SiteRecord; key: string }> {
    const registry = this.#registry()
    const { tenant: owner, domain } = certificateIn(registry, null, id)
    const tenant = tenantIn(registry, owner, ['active', 'suspended'])
    const site = siteIn(registry, owner, domain, ['active', 'suspended'])
    const { key } = placesOf(this.#machine, tenant, site.fqdn)
    if ((await readKey(this.#machine.files, key)) === undefined)
      throw new WcpError('not_found', `Cannot find the key of "${site.fqdn}"`)
    return { site, key }
  }

  #accountKey(): Promise<AccountKey> {
    this.#key ??= accountKey(this.#machine).catch((error) => {
      this.#key = undefined
      throw error
    })
    return this.#key
  }

  async #currentProofs(): Promise<Map<string, number>> {
    this.#proofs ??= this.#withoutLeftovers()
    const proofs = await this.#proofs
    const oldest = this.#machine.now().getTime() - proofMs
    for (const [token, since] of proofs) {
      if (since > oldest) break
      await this.#machine.files.remove(`${this.#machine.places.web.challenges}/${token}`)
      proofs.delete(token)
    }
    return proofs
  }

  async #withoutLeftovers(): Promise<Map<string, number>> {
    const { files, places } = this.#machine
    for (const name of await files.list(places.web.challenges)) await files.remove(`${places.web.challenges}/${name}`)
    return new Map()
  }
}

/** @param payload null: an empty one (RFC 8555, 6.3) */
function signed(header: object, payload: unknown, sign: (text: string) => string): SignedRequest {
  const parts = {
    protected: base64url(JSON.stringify(header)),
    payload: payload === null ? '' : base64url(JSON.stringify(payload)),
  }
  return { ...parts, signature: sign(`${parts.protected}.${parts.payload}`) }
}

function base64url(text: string): string {
  return Buffer.from(text).toString('base64url')
}
