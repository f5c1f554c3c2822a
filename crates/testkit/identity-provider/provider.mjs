// A certified OpenID provider for tests: on a free loopback port, in memory, and gone when its standard input closes.
// Whoever signs in writes who they are into the login's name: `subject/e-mail/verified`. The subject is the same person at
// each login, of whom the latest one says the rest.

import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';

// Nobody reads standard output after the first line.
console.log = console.info = console.error;

// What each subject's latest login says of them.
const latest = new Map();
const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: 'omni',
        client_secret: 'a secret + of: tests',
        redirect_uris: ['http://127.0.0.1/internal/auth/callback'],
        post_logout_redirect_uris: ['http://127.0.0.1/'],
      },
    ],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    cookies: { keys: ['a key for the cookies of tests'] },
    pkce: { required: () => true },
    findAccount(_context, id) {
      const [email, verified] = latest.get(id) ?? [];
      const claims = { sub: id, name: `${id} by name`, email, email_verified: verified === 'verified' };
      return { accountId: id, claims: () => claims };
    },
  });
  const finish = provider.interactionFinished.bind(provider);
  provider.interactionFinished = (request, response, result, options) => {
    if (!result.login) return finish(request, response, result, options);
    const [subject, ...said] = result.login.accountId.split('/');
    latest.set(subject, said);
    return finish(request, response, { ...result, login: { accountId: subject } }, options);
  };
  // Every test has a server on a port of its own.
  provider.Client.prototype.redirectUriAllowed = (uri) =>
    /^http:\/\/127\.0\.0\.1:\d+\/internal\/auth\/callback$/.test(uri);
  provider.Client.prototype.postLogoutRedirectUriAllowed = (uri) => /^http:\/\/127\.0\.0\.1:\d+\/$/.test(uri);
  server.on('request', provider.callback());
  process.stdout.write(`${issuer}\n`);
});

process.stdin.on('end', () => process.exit(0)).resume();
