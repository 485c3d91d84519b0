// A real authorization server (oidc-provider), configured by one JSON argument. It listens on loopback only.
import * as http from 'node:http';
import Provider from 'oidc-provider';

const given = JSON.parse(process.argv[2]);
const claims = { email: ['email'], openid: ['sub'], profile: ['preferred_username'] };

const configuration = {
  clients: given.clients,
  scopes: ['openid', 'offline_access', ...(given.scopes ?? [])],
  claims,
  conformIdTokenClaims: given.conform ?? true,
  cookies: { keys: ['a test has no secrets'] },
  pkce: { required: () => true },
  rotateRefreshToken: given.rotates ?? true,
  issueRefreshToken: async (ctx, client, code) =>
    client.grantTypeAllowed('refresh_token') && (given.always_refresh || code.scopes.has('offline_access')),
  features: {
    devInteractions: { enabled: true },
    deviceFlow: { enabled: true },
    clientCredentials: { enabled: true },
    revocation: { enabled: true },
    resourceIndicators: { enabled: false },
  },
  ttl: {
    AccessToken: () => given.access_seconds ?? 3600,
    ClientCredentials: () => given.access_seconds ?? 3600,
    RefreshToken: () => given.refresh_seconds ?? 86400,
    DeviceCode: () => given.device_seconds ?? 600,
  },
  async findAccount(ctx, id) {
    return { accountId: id, claims: async () => {
      const email = `${id}@firm.example`;
      return { sub: id, email, preferred_username: email };
    } };
  },
};

const provider = new Provider(given.issuer, configuration);
provider.use(async (ctx, next) => {
  // Strangers' habits that this server does not have by itself, asked for by the test.
  await next();
  if (given.scope_left_out && ctx.path === '/token' && ctx.body?.scope) {
    ctx.body.scope = ctx.body.scope.split(' ').filter((each) => each !== given.scope_left_out).join(' ');
  }
});
const at = new URL(given.issuer);
http.createServer(provider.callback()).listen(Number(at.port), at.hostname, () => console.log('ready'));
