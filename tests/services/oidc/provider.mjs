// An OpenID provider for the tests: node provider.mjs PORT KEYS.json
// KEYS.json holds the private JWKs. Whoever logs in with a name is that person, in the tenant "acme", an owner.
// Tokens for the resource urn:aos are JWTs, those for urn:aos:opaque are opaque.
import { readFileSync } from 'node:fs'
import Provider from 'oidc-provider'

const [port, keys] = process.argv.slice(2)
const none = { redirect_uris: [], response_types: [] }

const provider = new Provider(`http://127.0.0.1:${port}`, {
  jwks: JSON.parse(readFileSync(keys)),
  clients: [
    {
      ...none,
      client_id: 'aos-cli',
      token_endpoint_auth_method: 'none',
      application_type: 'native',
      grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
    },
    {
      client_id: 'aos-web',
      client_secret: 'w3b',
      application_type: 'native', // so that the port of the redirect may be any
      redirect_uris: ['http://127.0.0.1/inbox/callback'],
      response_types: ['code'],
      grant_types: ['authorization_code'],
    },
    { ...none, client_id: 'aos-server', client_secret: 's3cret', grant_types: [] },
    { ...none, client_id: 'robot', client_secret: 'r0bot', grant_types: ['client_credentials'], scope: 'aos:read' },
  ],
  scopes: ['openid', 'offline_access', 'aos:read'],
  features: {
    clientCredentials: { enabled: true },
    deviceFlow: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_, resource) => ({
        scope: 'aos:read',
        audience: resource,
        accessTokenTTL: 3600,
        accessTokenFormat: resource.endsWith(':opaque') ? 'opaque' : 'jwt',
        jwt: { sign: { alg: 'RS256' } },
      }),
      useGrantedResource: () => true,
    },
  },
  extraTokenClaims: () => ({ tenant_id: 'acme', roles: ['owner'] }),
  issueRefreshToken: () => true,
  ttl: { DeviceCode: 60 },
})

provider.listen(Number(port), '127.0.0.1')
