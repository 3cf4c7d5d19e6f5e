import { describe, expect, it } from 'vitest'
import { hasOwnWorkers, withOurNeeds } from './nginx-main.ts'

const debian = `user www-data;
worker_processes auto;
include /etc/nginx/modules-enabled/*.conf;

events {
	worker_connections 768;
	# multi_accept on;
}

http {
	include /etc/nginx/conf.d/*.conf;
}
`

describe("nginx's own file", () => {
  it('as the distribution brings it gets our workers and their room, and nothing else', () => {
    expect(withOurNeeds(debian)).toBe(
      debian
        .replace('user www-data;', 'user wcp360-web;')
        .replace('768', '16384')
        .replace('events {', 'worker_rlimit_nofile 65536;\nevents {')
        .replace(
          'http {\n',
          'http {\nmap_hash_bucket_size 1024;\nmap_hash_max_size 65536;\nvariables_hash_max_size 4096;\n',
        ),
    )
  })

  it('is not changed a second time', () => {
    expect(withOurNeeds(withOurNeeds(debian))).toBe(withOurNeeds(debian))
  })

  it.each([
    ['user nginx;\nevents { worker_connections 20000; }', 'user nginx;'],
    ['user www-data;\nworker_rlimit_nofile 100000;\nevents { worker_connections 20000; }', '100000;'],
    ['# user www-data;\nuser web www-data;\nevents {}', '# user www-data;\nuser web www-data;'],
    ['user www-data www-data;\nevents {}', 'user wcp360-web;'],
    ['user www-data;events{}', 'worker_connections 16384;\n}'],
  ])('%j keeps or gets %j', (text, part) => {
    expect(withOurNeeds(text)).toContain(part)
  })

  it.each([
    ['user wcp360-web;\n', true],
    ['  user wcp360-web ;\n', true],
    ['# user wcp360-web;\nuser www-data;\n', false],
    ['user wcp360-web www-data;\n', false],
    ['', false],
  ])('%j: its workers are our own: %s', (text, isOwn) => {
    expect(hasOwnWorkers(text)).toBe(isOwn)
  })
})
