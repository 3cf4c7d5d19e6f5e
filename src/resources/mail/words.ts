/** The words of each mail. */
export const letters = {
  invitation: {
    subject: 'Your account',
    hello: 'Hello,',
    text: 'An account was made for you. Choose your password here:',
    button: 'Choose a password',
    until: 'The link is good for three days and works once.',
    ignore: 'If you did not expect this, do nothing.',
  },
  'password-reset': {
    subject: 'A new password',
    hello: 'Hello,',
    text: 'Somebody, probably you, asked for a new password. Choose it here:',
    button: 'Choose a password',
    until: 'The link is good for one hour and works once.',
    ignore: 'If it was not you, do nothing: your password stays as it is.',
  },
  verification: {
    subject: 'Is this your address?',
    hello: 'Hello,',
    text: 'Somebody, probably you, wants to sign in with this address from now on. Confirm it here:',
    button: 'Confirm the address',
    until: 'The link is good for one day and works once.',
    ignore: 'If it was not you, do nothing.',
  },
  'address-changed': {
    subject: 'Your address was changed',
    hello: 'Hello,',
    text: 'Your account has another e-mail address now: nobody signs in with this one any more.',
    button: '',
    until: '',
    ignore: 'If you did not expect this, tell an administrator at once.',
  },
  test: {
    subject: 'Mail works',
    hello: 'Hello,',
    text: 'This mail shows that the panel can send mail.',
    button: '',
    until: '',
    ignore: 'There is nothing to do.',
  },
}
