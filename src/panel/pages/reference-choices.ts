/** The choices for the references of a form: the tenants, packages, users that this visitor can see. */
import type { FastifyRequest } from 'fastify'
import { type Field, isRecord } from '../../contract/fields.ts'
import { type AnyOperation, kindOf } from '../../contract/operation.ts'
import { nothing } from '../../lib/command-spec.ts'
import type { Texts } from '../../lib/texts.ts'
import { kinds } from '../../resources/index.ts'
import type { AnyKind } from '../../resources/kind.ts'
import { holds } from '../../resources/rights.ts'
import type { Choice } from './form-fields.ts'
import type { PageKit } from './page-kit.ts'

/** Input that refers to something → the kind, and the output key by which it is named. */
const referring = new Map(kinds.flatMap((kind) => kind.reference?.fields.map((field) => [field, kind] as const) ?? []))

/** By field name; the first 200 of each, beyond which typing a name works all the same. */
export async function referenceChoices(
  kit: PageKit,
  request: FastifyRequest,
  operation: AnyOperation,
): Promise<Map<string, readonly Choice[]>> {
  const t = kit.textsOf(request)
  const choices = new Map<string, readonly Choice[]>()
  for (const field of operation.fields) {
    const kind = field.isReference ? referring.get(field.name) : undefined
    if (kind !== undefined && kit.may(request, `${kind.name}.list`)) {
      const { value } = await kit.run(request, `${kind.name}.list`, { limit: 200 })
      choices.set(field.name, names(t, kind, value))
    }
    if (field.name === 'permissions') choices.set('permissions', permissionChoices(kit, request))
    if (field.name === 'scopes') choices.set('scopes', keyScopeChoices(kit, request))
    if (field.name === 'features') choices.set('features', featureChoices(t, field))
    if (field.name === 'php') choices.set('php', phpChoices(kit, t, field))
  }
  return choices
}

/** Nobody gives away a permission that he does not have. */
function permissionChoices(kit: PageKit, request: FastifyRequest): Choice[] {
  const t = kit.textsOf(request)
  return kit.deps.operations.flatMap(({ name }) => (kit.may(request, name) ? [permissionBox(t, name)] : []))
}

/** The visitor's permissions that API keys can have. */
function keyScopeChoices(kit: PageKit, request: FastifyRequest): Choice[] {
  const { actor } = request
  const t = kit.textsOf(request)
  return kit.deps.operations.flatMap((operation) => {
    const { name, policy } = operation
    const isFor = actor !== null && holds(actor, name) && kit.deps.mayCall(actor, operation) && !policy.isSensitive
    return isFor ? [permissionBox(t, name)] : []
  })
}

function permissionBox(t: Texts, name: string): Choice {
  const kind = kindOf({ name })
  return { value: name, title: t.rights[name] ?? name, code: name, group: t.kinds[kind]?.many ?? kind }
}

function featureChoices(t: Texts, field: Field): Choice[] {
  const titles: Readonly<Record<string, string>> = t.features
  return field.choices.map((word) => ({ value: word, title: titles[word] ?? word }))
}

/** Installed versions, and the word for a site without PHP where the field takes one. */
function phpChoices({ deps }: PageKit, t: Texts, field: Field): Choice[] {
  const installed = deps.agent.phpVersions ?? []
  return field.choices
    .filter((word) => installed.length === 0 || word === nothing || installed.includes(word))
    .map((word) => ({ value: word, title: word === nothing ? t.form.noPhp : word }))
}

function names(t: Texts, { reference, item: schema }: AnyKind, page: unknown): Choice[] {
  const items = isRecord(page) && Array.isArray(page.items) ? page.items : []
  return items.flatMap((item: unknown) => {
    const name = isRecord(item) && reference !== undefined ? item[reference.key] : undefined
    return typeof name === 'string' ? [{ value: name, title: reference?.title?.(schema.parse(item), t) ?? name }] : []
  })
}
