/** Headers that every response of the panel carries, also the ones for requests that never became one (threats §4). */

const contentPolicy = [
  "default-src 'none'",
  "style-src 'self'",
  "img-src 'self'",
  "font-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "object-src 'none'",
  "script-src 'none'",
  // A second lock against scripts, should a page ever be served without the first.
  'sandbox allow-forms allow-same-origin allow-downloads allow-top-navigation-by-user-activation',
].join('; ')

const deniedFeatures = [
  'accelerometer',
  'autoplay',
  'camera',
  'display-capture',
  'encrypted-media',
  'fullscreen',
  'geolocation',
  'gyroscope',
  'magnetometer',
  'microphone',
  'midi',
  'payment',
  'picture-in-picture',
  'publickey-credentials-get',
  'screen-wake-lock',
  'usb',
  'xr-spatial-tracking',
]

export const securityHeaders: Readonly<Record<string, string>> = {
  'content-security-policy': contentPolicy,
  'strict-transport-security': 'max-age=31536000',
  'x-content-type-options': 'nosniff',
  // Not `no-referrer`: browsers would send `Origin: null` with forms, and the CSRF check could not tell friend from foe.
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'x-frame-options': 'DENY',
  'permissions-policy': deniedFeatures.map((feature) => `${feature}=()`).join(', '),
  vary: 'Sec-Fetch-Site, Origin',
}

/** For everything but files that never change. */
export const noStore = 'no-store'
