/**
 * A link that signs a user of WordPress in, once. WordPress has none of its own, so a must-use plugin takes it: it is
 * written by the command that makes the link, as the tenant, and does nothing for a request without one. What is kept is
 * the hash of the link's token, and deleting it, which only one request can do, is what lets that request in.
 */
import type { TenantCommand } from '../../../contract/tenant-command.ts'
import type { Layout } from '../../os/layout.ts'
import { wpCli } from './wordpress.ts'

const goodSeconds = 300

/** As WordPress' other ways of signing in it calls `wp_login`, where plugins ask for a second factor. */
const plugin = `<?php
/*
Plugin Name: Sign in by a link
Description: Signs in whoever brings a link that the hosting panel made: once, and for ${goodSeconds / 60} minutes.
License: GPL-2.0-or-later
*/
defined('ABSPATH') || exit;

add_action('login_init', function () {
    $token = $_GET['wcp360_login'] ?? null;
    if (!is_string($token)) {
        return;
    }
    nocache_headers();
    $name = 'wcp360_login_' . hash('sha256', $token);
    $kept = get_option($name);
    $isGood = is_array($kept) && delete_option($name) && $kept['until'] > time();
    $user = $isGood ? get_userdata($kept['user']) : false;
    if (!$user) {
        wp_die('This link was used before, or its time is over. Make a new one in the panel.', '', ['response' => 403]);
    }
    wp_set_auth_cookie($user->ID);
    wp_set_current_user($user->ID);
    do_action('wp_login', $user->user_login, $user);
    wp_safe_redirect(admin_url());
    exit;
});
`

/** Prints an address that signs that user in. The name has no sign that ends a text of PHP. */
export function loginLinkCommand(places: Layout, user: string): TenantCommand {
  const code = [
    `$user = get_user_by('login', '${user}');`,
    "if (!$user) WP_CLI::error('there is no user of this name');",
    `$text = base64_decode('${Buffer.from(plugin).toString('base64')}');`,
    "$file = WPMU_PLUGIN_DIR . '/wcp360-login.php';",
    "$mine = $file . '.' . getmypid();",
    'if (@file_get_contents($file) !== $text && !(wp_mkdir_p(WPMU_PLUGIN_DIR)',
    '&& file_put_contents($mine, $text) === strlen($text) && rename($mine, $file)))',
    "WP_CLI::error('cannot write ' . $file);",
    'global $wpdb;',
    '$ours = $wpdb->prepare("select option_name from $wpdb->options where option_name like %s",',
    "$wpdb->esc_like('wcp360_login_') . '%');",
    'foreach ($wpdb->get_col($ours) as $old) if ((get_option($old)["until"] ?? 0) < time()) delete_option($old);',
    '$token = bin2hex(random_bytes(32));',
    `$kept = ['user' => $user->ID, 'until' => time() + ${goodSeconds}];`,
    "if (!add_option('wcp360_login_' . hash('sha256', $token), $kept, '', false)) WP_CLI::error('cannot keep the link');",
    "echo add_query_arg('wcp360_login', $token, site_url('wp-login.php', 'login')), chr(10);",
  ]
  return wpCli(places, '--skip-plugins', '--skip-themes', 'eval', code.join(' '))
}
