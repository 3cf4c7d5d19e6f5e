/** Holds on people, too. One suspended before this has none, so staff alone lift that. Never edit: add a migration. */
import { index, type Migration, table } from './migration.ts'

const kinds = ['tenant', 'domain', 'user'] as const
const kept = 'id, created_at, updated_at, deleted_at, tenant_id, domain_id, level, reason, note, actor, actor_id'

export const holdsOfPeople: Migration = {
  number: 24,
  name: 'holds-of-people',
  statements: (words) => [
    table(
      words,
      'holds_anew',
      {
        ...Object.fromEntries(
          kinds.map((kind) => [`${kind}_id`, `${words.id} references ${kind}s (id) on delete cascade`]),
        ),
        level: "text not null check (level in ('customer', 'reseller', 'staff', 'root'))",
        reason: 'text not null',
        note: 'text not null',
        actor: 'text not null',
        actor_id: words.id,
      },
      [`check (${kinds.map((kind) => `case when ${kind}_id is null then 0 else 1 end`).join(' + ')} = 1)`],
    ),
    `insert into holds_anew (${kept}) select ${kept} from holds`,
    'drop table holds',
    'alter table holds_anew rename to holds',
    ...kinds.map((kind) =>
      index('holds', `${kind}_id, level, reason`, { unique: true, where: `${kind}_id is not null` }),
    ),
  ],
}
