import { describe, expect, it } from 'vitest'
import { asset, assetNames, assetText } from './assets.ts'

describe('assets of a checkout', () => {
  it('reads each name that it lists', () => {
    for (const name of assetNames('')) expect(asset(name), name).toBeInstanceOf(Uint8Array)
  })

  it('lists the names below a prefix in order', () => {
    const all = assetNames('')

    expect(all).toEqual(all.toSorted())
    expect(assetNames('templates/')).toEqual(all.filter((name) => name.startsWith('templates/')))
  })

  it('compiles the styles', () => {
    expect(assetText('styles.css')).toContain('tailwindcss')
  })

  it('tells the version and the notices of what is bundled', () => {
    expect(assetText('VERSION')).toMatch(/^\d+\.\d+\.\d+\+source$/)
    expect(assetText('NOTICES.txt')).toContain('better-sqlite3')
  })

  it.each(['templates/../package.json', '/etc/passwd', 'package.json', 'constructor'])('refuses %s', (name) => {
    expect(() => asset(name)).toThrow(`Cannot read asset "${name}"`)
  })
})
