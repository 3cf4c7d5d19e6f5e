/**
 * The rights of a role of PostgreSQL that owns one database: nothing anywhere else, and nobody else anything there.
 *
 * Blocks of code are quoted by a sign with an upper-case letter, which no name has: a name may have dollars.
 */
import type { DatabaseName } from '../../../contract/database.ts'
import { mostConnections } from './database-server.ts'
import { number, statement, value } from './statement.ts'

/** The role that the roles of all tenants are members of. It has no right at all: pg_hba.conf knows them by it. */
export const tenants = {
  role: statement`wcp360_tenants`,
  made: statement`do $W$ begin
    create role wcp360_tenants nologin;
  exception when duplicate_object or unique_violation then null;
  end $W$`,
} as const

/** Of each database: who may do something there. Without a word of its own that is everybody. */
const grants = statement`pg_database d
  cross join lateral aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) g
  left join pg_roles w on w.oid = g.grantee`

/** What is not the role's alone in its database, or is the role's elsewhere. */
function strange(name: DatabaseName) {
  return statement`(d.datname = ${value(name)} and g.grantee <> d.datdba) or (d.datname <> ${value(name)} and w.rolname = ${value(name)})`
}

/** Password, whether it may sign in, and whether rights and bounds are those of a `DatabaseUser`. */
export function userQuery(name: DatabaseName) {
  return statement`select a.rolpassword, a.rolcanlogin,
    not (a.rolsuper or a.rolcreaterole or a.rolcreatedb or a.rolreplication or a.rolbypassrls)
      and a.rolinherit and a.rolconnlimit = ${number(mostConnections)}
      and coalesce(a.rolvaliduntil = 'infinity', true)
      and not exists (select 1 from pg_auth_members m where m.roleid = a.oid)
      and (select count(*) = 1 and bool_and(h.rolname = 'wcp360_tenants' and not m.admin_option)
        from pg_auth_members m join pg_roles h on h.oid = m.roleid where m.member = a.oid)
      and not exists (select 1 from pg_database d where d.datname = a.rolname and d.datdba <> a.oid)
      and not exists (select 1 from ${grants} where ${strange(name)})
    from pg_authid a where a.rolname = ${value(name)}`
}

/** Takes all that is not the role's by itself. */
export function mendedRights(name: DatabaseName) {
  return statement`do $W$ declare one record; begin
    for one in select h.rolname as held, w.rolname as holder from pg_auth_members m
      join pg_roles h on h.oid = m.roleid join pg_roles w on w.oid = m.member
      where ${value(name)} in (h.rolname, w.rolname)
    loop
      execute format('revoke %I from %I cascade', one.held, one.holder);
    end loop;
    for one in select distinct d.datname as base, coalesce(quote_ident(w.rolname), 'public') as whose
      from ${grants} where ${strange(name)}
    loop
      execute format('revoke all on database %I from %s cascade', one.base, one.whose);
    end loop;
  end $W$`
}
