import { readFileSync } from 'node:fs'
import { sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { migrations, ownSchema } from '../../src/resources/index.ts'
import { checkStore } from '../../src/store/check-store.ts'
import { migrate } from '../../src/store/migrate.ts'
import { checksumOf, postgresWords, sqliteWords } from '../../src/store/migrations/migration.ts'
import { openStore } from '../../src/store/open-store.ts'
import { onBothStores } from './both-stores.ts'

const specified = `users roles permissions role_permissions user_roles resellers tenants packages package_limits
  tenant_usage domains domain_names domain_proofs domain_proof_tries databases certificates mail_boxes cron_jobs backups releases apps resources api_keys
  sessions nodes settings jobs job_steps audit_logs audit_heads`.split(/\s+/)

describe('migrations', () => {
  it('are the ones that were released, word for word', () => {
    const texts = migrations.map((one) => [
      one.number,
      one.name,
      checksumOf(one, sqliteWords),
      checksumOf(one, postgresWords),
    ])

    // A migration that a store has seen is never edited: add another one. A new line here is all that may change.
    expect(texts).toMatchInlineSnapshot(`
      [
        [
          1,
          "foundation",
          "1fd15141a8c4e9c80c3fc7cf53e572f63121ca96a8262ee492a391f2266985f5",
          "6ad72fbbfdfaf61aa4eb412a3ad57e9c92145c86de42186c76268016603123ca",
        ],
        [
          2,
          "first-roles",
          "16cbbcfd71e880b1321494cbf6ce36580e832d17d38042659eaf4e2eee43c2f3",
          "16cbbcfd71e880b1321494cbf6ce36580e832d17d38042659eaf4e2eee43c2f3",
        ],
        [
          3,
          "resale",
          "8b642ec23ba137e1a2737956ee23c0b0112bf69e616a9ab6070429ba19a0e66c",
          "73ed9396aa9b9e47730e6e4a9735fdd81817de21c6c4b36af2eff15975eec7e6",
        ],
        [
          4,
          "audit-mirror",
          "6b54a49bd673b6bcba776e5d93228996d7c4c6852c994fddd7531dc3af210f87",
          "1d74094480467ca11ab04df2a70009fabf40fcf79db1ea20ad4a89d30d6eb043",
        ],
        [
          5,
          "factors",
          "fee70a04e16db0d0e1ae07e7c21cd7ce54bbccf1c908a942c083ed1ba36620c5",
          "fc8a255dcf919bbbe38db5a318e2c20f551e36df14f601f9be9ab7f37b413c93",
        ],
        [
          6,
          "many-tenants",
          "c8459d40e1be93d8a0a3e325629c0a401c4c9f3919261fb79b315812807ae556",
          "c8459d40e1be93d8a0a3e325629c0a401c4c9f3919261fb79b315812807ae556",
        ],
        [
          7,
          "mail",
          "721d6d690651a040b5cf6589d9083a66e8c83bddb142647e9052d5b994c66c4d",
          "7a1aadf81221157e8ed87b9c0d4291389ba30c8e0e45455965f763d048c4d693",
        ],
        [
          8,
          "api-keys",
          "1b05c2630ada4211a6327324c2fd61d2d05822bbe4db1372c1a6360ca2dd0b1d",
          "945b9b5004b0bbdae6a68706897d01897f12c097e67aa66a0e9953cf137b77d6",
        ],
        [
          9,
          "kept-answers",
          "de9c1949c0cb15d51a6e6706991429f8bbb3d2297d84bc3cd5456b6b3546862c",
          "63091363a701d7e44604ff44d2780abb90581324bdbe16ad2f2282a1cc95e12a",
        ],
        [
          10,
          "client-certificates",
          "17648f986da82f3c1e71820682b2e742a3d66a00a71e5cecfa5d65f0206ba4d3",
          "23961b3c00b5e79e48c3f85a270a264021b9fcd94ee99711f05eac69a102bae6",
        ],
        [
          11,
          "address-changed",
          "6ef2a9135348a74ef6fdd3511de459eaa03fd333a1ea0751f9c64e276109ff7c",
          "1dc868c2345db0ff5ab3a78499129db690640a21be6fbe8c2e54e2a86b175fb2",
        ],
        [
          12,
          "domain-proofs",
          "e21bd7c58e563ff8bae50b47afe549e1b3c230fb224eb25880c699895765dad3",
          "2aa44ed87461f3ad22ede93c251e85c85dbb78fb9261f09b335b432108a06a5c",
        ],
        [
          13,
          "signed-requests",
          "d854343276ef0b15c84c99010ec75f43f84f21c100658c2f10cf12ef80847c6b",
          "d854343276ef0b15c84c99010ec75f43f84f21c100658c2f10cf12ef80847c6b",
        ],
        [
          14,
          "webhooks",
          "bc95bd95ee4e1b236b98b38eebefaaa7d883133c88d1aa36d89dc93231067f12",
          "c5203f801c7615c8ad9d939d530e2009df7b5d1b6e346227be6fe5687792336e",
        ],
        [
          15,
          "domain-claims",
          "9c82ca3c710692f99e9fe364ecd2c4495ccda69381d16fb10903dd7568014813",
          "f2d62314c829b98ac4c38eb30e9150f73d2d46d0344673b96cf2e004fc625824",
        ],
        [
          16,
          "names-by-proof",
          "c53201202414c680ec0ee615969cec50ea00ad4ff05a9cdeb8719c084fe73048",
          "c53201202414c680ec0ee615969cec50ea00ad4ff05a9cdeb8719c084fe73048",
        ],
        [
          17,
          "parts-of-names",
          "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
          "61f74290130a1fd2a0e08db4611e2ab206168e727433e857eeda531772a225cd",
        ],
        [
          18,
          "holds",
          "3e67d452d94134df19ebfb9847a6d320b66358556f06760112c5cd50516158bf",
          "68f9f2b8a702cda1e08468f8271d7d7a69717e4fe9e38ba0060e9d46fedd0318",
        ],
        [
          19,
          "known-networks",
          "75b418db62abde6f7a867c39d29e10d1ec627725179b609689986b80611ce447",
          "6cedf7d490c9ad86bef08626bb7872617d23459dad8bcc14e8227cbc2c712249",
        ],
        [
          20,
          "epochs",
          "8f891b9b76a9623d4178ff53e4a476166809a997cb562a79e7e2b07839b7a163",
          "30bef1703b6d353c0694a60b79abbaaf31c9ab6206a376da02b0614e08b498b5",
        ],
        [
          21,
          "ssh-keys",
          "6a12c99124e8581e8e3d9b3bede570af9ba9ba2434d723fb06e6ea2ef821000a",
          "5f79cad737a4b0144a832a44b31e06f935501fd2b7850c5e11aff10955f335e4",
        ],
        [
          22,
          "tenant-commands",
          "238e54858beb554bb40cdf057511cbaf0cb6255625b07cd8da8d4db2bdb23364",
          "238e54858beb554bb40cdf057511cbaf0cb6255625b07cd8da8d4db2bdb23364",
        ],
        [
          23,
          "egress",
          "83240bdb2fe0c0e373740f855ad98ea571cbbf72bdefba168a5b58368404d779",
          "83240bdb2fe0c0e373740f855ad98ea571cbbf72bdefba168a5b58368404d779",
        ],
        [
          24,
          "holds-of-people",
          "a6f0cb497678dc16b60fc95b4c0f45d9d3d71be3e9d69508ab13a02be9e6ef3e",
          "39f49918ce0396d5e9d9889f874111304fc41bcbe951061abc282f01b09c5912",
        ],
        [
          25,
          "locks",
          "30267d25e39e75c7925e71119ef9f2f8cd6e47eb828680fdf1ba5e622263f1c7",
          "30267d25e39e75c7925e71119ef9f2f8cd6e47eb828680fdf1ba5e622263f1c7",
        ],
        [
          26,
          "conditions",
          "59e858570504f56302dfa215a2bca500de958eddf399c9fcd74167860d3bb158",
          "0b728fdbff19b96542ed486b79b27e7fe304f246969e972026fa678613291911",
        ],
        [
          27,
          "display-names",
          "4bbf91fa10c7ac3c029a165e31b411c15fbf0db48910e1f0643b182de8cb77a6",
          "efb9319bff271d8be0eb3acfbc444cb574107976a73ccbd5bb9ed5bd7c859e66",
        ],
        [
          28,
          "usage",
          "a9e6333aee44d85b5446886e3a6bf275ebf337e35bd3ff0771ddd2d14b225561",
          "7cf97525a802d5e0aa4dda20aaedaf75390bb9aadc33483bbe0a4eb79c56b6db",
        ],
        [
          29,
          "audit-by-whom",
          "0f4066c0f962b3a91fafe0b29d651c2dd8d5491a0b5b4885f0162b43310184e6",
          "0f4066c0f962b3a91fafe0b29d651c2dd8d5491a0b5b4885f0162b43310184e6",
        ],
        [
          30,
          "trash-of-keys",
          "69f1fa83124fc978e418502a87f964741da547789c83f14739053027408faa12",
          "e07a19a370f62104a948a756d506cdf99ed3c31d22f522fd954897b209aa9d84",
        ],
        [
          31,
          "certificates",
          "06c81e660d477bd3f845f8c96f949add8fbe717e54634ead394611b5de9a0b35",
          "e9996437010558231d5f82c990cd93f7e25ed6dfea951ef12960916b0ebb8aa1",
        ],
        [
          32,
          "drift-findings",
          "a2dcebb2bd6c10fa5fad3ae03de5c0856826224b0355ed34d50bbf4cbd4e3c6f",
          "58b50d8883f85440fee97db9e398a2d420d0f278eb0a853d834c35a170efab11",
        ],
        [
          33,
          "requests-of-jobs",
          "4e7cef315fb841d164090e7252a3905db19a2e85dd1c53286a7130e14919b057",
          "6c6e05db067b19350c7fee5ac6e463761031f7e0c34e6eed647946307d053f03",
        ],
        [
          34,
          "databases",
          "821019e3df0cc65dbe4190b8c65fff3d7784e13521ee5be30c26a2d441e95868",
          "d0755c8a55a83cdca4496a14aedb590dc9e06adab14b67d16d9c4306c49fc7fc",
        ],
        [
          35,
          "database-sizes",
          "57ed99a2fe40136589abf683f3d9eb423c66ae0aaac6df8292d1576aed092fcc",
          "4c9c0ebc233a7eecf15f7e71186101a86f2b5a279741aab12269be1923bafa99",
        ],
        [
          36,
          "database-users",
          "2362ee31f04bdb9245d7c21a50f5bcdb5cebd3f709b9eff7f7cbd2a0629a1566",
          "2bc7312559af8681c9850d830558ff1dca1d83b3b489433d97da73845caba6c4",
        ],
        [
          37,
          "newest",
          "546b80b071f044367684406d7d205e35e28199cb3d99f3124d322ed82a7dfc27",
          "546b80b071f044367684406d7d205e35e28199cb3d99f3124d322ed82a7dfc27",
        ],
        [
          38,
          "cron",
          "4fbf41aa456e4d4e8168ddc441f7ff66500cc719108297f58b89a228c83dc5fb",
          "72350e8846630a4055396169a66f0d8189226f964909d2ac91c5cd721c212537",
        ],
        [
          39,
          "apps",
          "9f85b10435bcfa1d8aa3c5d8c6a1049fe5078f629bcaddc2bca50470db3784cf",
          "944db558685eb06fbfb4d385d9b57e5888fd9c4d31ba2213486ed4fbc07caa9f",
        ],
        [
          40,
          "ssh-access",
          "7ac03cefa9ac88174fa574977614018e2fd609e1c6295a3bf313084f607fe4cf",
          "7ac03cefa9ac88174fa574977614018e2fd609e1c6295a3bf313084f607fe4cf",
        ],
        [
          41,
          "ssh-key-terms",
          "93c032c4c0d232e0d486bee5f2d08bf57121700b9ef0b2bb8a0866c31d42fb17",
          "8c322d16d013046d510a81d1841743288c64a8c569e1e544f1a5a9aa947b06ba",
        ],
        [
          42,
          "dns-keys",
          "c7e20d8299edf46b8ad593e5d802816655da145ece5009a8b224cfc6ec7f683b",
          "eddf17fe2697471de1d07ff28110d54f6aabc49cea4a07eb6fa84b39a5909e7e",
        ],
        [
          43,
          "certificate-ends",
          "6b7a500e838e1210eb9c28c038fb59a2cc9d9869d4bc42e5bd5d1d44db1b4c83",
          "9dd8a5b36c3352e4617f4c6f0da621db3a091f4fa4c7e51ba495552c498388ff",
        ],
        [
          44,
          "site-probes",
          "c4f4609bdf738da0106c2342ebaa1bd04ac3a9e2f77fdd90211aa0ba3a8990d8",
          "03e5c2e21fabf2caa5775f2b657907967731847310a29a4e63605800a11fefa6",
        ],
        [
          45,
          "displays",
          "eed3adc29b40aaac3a4054e9c3f7520a4ac062ff0e489eb45408ea1b5a945f4c",
          "eed3adc29b40aaac3a4054e9c3f7520a4ac062ff0e489eb45408ea1b5a945f4c",
        ],
      ]
    `)
  })
})

onBothStores('schema', (bench, store) => {
  it('is laid once, is whole, and needs nothing at the next start', async () => {
    const db = openStore(await bench.place())

    const first = await migrate(db, '2026-03-01T12:00:00.000Z', { migrations })
    const second = await migrate(db, '2026-03-02T12:00:00.000Z', { migrations })
    const wrong = await checkStore(db, true)
    await db.destroy()

    expect(first).toEqual(migrations.map((one) => one.name))
    expect(second).toEqual([])
    expect(wrong).toEqual([])
  })

  it('gives every table an id and its three moments', async () => {
    const { db } = await bench.panel()

    const tables = await db.introspection.getTables()
    const found = new Map(tables.map((table) => [table.name, table.columns.map((column) => column.name)]))

    for (const name of specified)
      expect(found.get(name), name).toEqual(expect.arrayContaining(['id', 'created_at', 'updated_at', 'deleted_at']))
    const told = readFileSync('docs/schema.md', 'utf8')
    const others = [...found.keys()].filter((name) => !specified.includes(name) && !name.startsWith('sqlite_'))
    expect(others.filter((name) => !told.includes(`\`${name}\``))).toEqual([])
  })

  it('refuses a store that a newer version has written', async () => {
    const place = await bench.place()
    const newer = {
      number: ownSchema + 1,
      name: 'from-the-future',
      statements: () => ['create table later (id text)'],
    }
    const db = openStore(place)
    await migrate(db, '2026-03-01T12:00:00.000Z', { migrations: [...migrations, newer] })

    await expect(migrate(db, '2026-03-01T12:00:00.000Z', { migrations })).rejects.toThrow(
      /its schema \d+ \(from-the-future\) is newer/,
    )
    await db.destroy()
  })

  it('refuses a store to which another text of a migration was applied', async () => {
    const { db } = await bench.freshPanel()
    await db.updateTable('schema_migrations').set({ checksum: 'other' }).where('number', '=', 1).execute()

    await expect(migrate(db, '2026-03-01T12:00:00.000Z', { migrations })).rejects.toThrow(
      /migration 1 \(foundation\) .* another text/,
    )
  })

  it('leaves nothing of a migration that fails half-way', async () => {
    const { db } = await bench.freshPanel()
    const broken = {
      number: ownSchema + 1,
      name: 'broken',
      statements: () => ['create table half (id text)', 'no statement at all'],
    }

    await expect(migrate(db, '2026-03-01T12:00:00.000Z', { migrations: [...migrations, broken] })).rejects.toThrow()

    await expect(sql`select * from half`.execute(db)).rejects.toThrow(/half/)
    expect(await migrate(db, '2026-03-01T12:00:00.000Z', { migrations })).toEqual([])
  })

  it('refuses a row that points at nothing', async () => {
    const { db } = await bench.panel()
    const nowhere = '00000000-0000-4000-8000-000000000000'

    const orphan = db
      .insertInto('tenant_usage')
      .values({
        id: nowhere,
        created_at: '2026-03-01T12:00:00.000Z',
        updated_at: '2026-03-01T12:00:00.000Z',
        tenant_id: nowhere,
        used_disk_mb: 0,
        used_domains: 0,
        cpu_usage_avg: 0,
        memory_mb: 0,
        pressure: 0,
        bandwidth_tx: 0,
      })
      .execute()

    await expect(orphan).rejects.toThrow(/foreign key/i)
  })

  it('gives moments and JSON back as they were written', async () => {
    const { db } = await bench.panel()
    const row = {
      id: '00000000-0000-4000-8000-000000000001',
      created_at: '2026-03-01T12:00:00.120Z',
      updated_at: '1999-12-31T23:59:59.999Z',
    }
    await db
      .insertInto('settings')
      .values({ ...row, key: 'x', value: '{"a":[1,"ü"]}' })
      .execute()

    const read = await db.selectFrom('settings').selectAll().where('key', '=', 'x').executeTakeFirstOrThrow()

    expect(read).toMatchObject(row)
    expect(JSON.parse(read.value)).toEqual({ a: [1, 'ü'] })
  })

  if (store === 'postgres') return

  it('opens SQLite durably and strictly', async () => {
    const db = openStore(await bench.place())
    const pragma = async (name: string) =>
      Object.values((await sql<Record<string, unknown>>`${sql.raw(`pragma ${name}`)}`.execute(db)).rows[0] ?? {})[0]

    expect(await pragma('journal_mode')).toBe('wal')
    expect(await pragma('foreign_keys')).toBe(1)
    expect(await pragma('synchronous')).toBe(2)
    expect(await pragma('secure_delete')).toBe(1)
    expect(await pragma('busy_timeout')).toBe(0) // the driver waits, for at most five seconds
    await db.destroy()
  })
})
