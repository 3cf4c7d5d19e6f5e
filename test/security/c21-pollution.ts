import type { Tried } from './attack-class.ts'

export const pollution: Tried = {
  name: "keys that reach for prototypes or for the templates' settings",
  holds: 'refused; nothing of it is seen anywhere',
  async attack(stage, tally) {
    const { admin } = stage
    const bodies = [
      '{"__proto__":{"isAdmin":true},"name":"polluted"}',
      '{"constructor":{"prototype":{"isAdmin":true}},"name":"polluted"}',
      '{"name":"polluted","__proto__":1}',
      '{"name":{"__proto__":{"x":1}}}',
      '{"name":"polluted","\\u005f_proto__":{}}',
      '{"name":"polluted","name":"polluted2"}',
      '{"name":"polluted","settings":{"view options":{}}}',
      '{"name":"polluted","varName":"it","useWith":true,"include":"x"}',
      '[{"name":"polluted"}]',
      '"polluted"',
      `${'{"a":'.repeat(20)}1${'}'.repeat(20)}`,
      `${'['.repeat(10_000)}${']'.repeat(10_000)}`,
    ]
    const token = await admin.token()
    for (const body of bodies) {
      const headers = { 'content-type': 'application/json', 'x-csrf-token': token, 'sec-fetch-site': 'same-origin' }
      const { status } = await admin.ask({ method: 'POST', path: '/api/v1/packages', body, headers })
      tally.held([400, 422].includes(status), `${body.slice(0, 60)}: ${status}`)
    }
    for (const key of [
      '__proto__',
      '__proto__[isAdmin]',
      'constructor',
      'constructor[prototype][x]',
      'prototype',
      'settings',
      'useWith',
      'include',
      'cache',
    ]) {
      const form = await admin.form('/do/package.create', { [key]: 'true', _do: 'run' })
      tally.held(form.status >= 400, `form ${key}: ${form.status}`)
      for (const path of ['/api/v1/packages', '/packages', '/login', '/do/package.create']) {
        const { status, text } = await admin.page(`${path}?${encodeURIComponent(key)}=wcp-polluted`)
        tally.held(status < 500 && !/function anonymous|\[native code/.test(text), `${path}?${key}: ${status}`)
      }
    }
    tally.same((await stage.root('GET', '/packages?search=polluted')).json().items?.length, 0, 'packages were made')
  },
}
