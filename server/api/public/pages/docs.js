// Found from here, so that it works behind a proxy that adds a path prefix.
const root = new URL('../..', import.meta.url)
const answer = await fetch(new URL('openapi.json', root))
const spec = await answer.json()

// Swagger UI prefills examples: Execute must not delete the user of an example id.
for (const operation of Object.values(spec.paths).flatMap((item) => Object.values(item)))
  for (const parameter of operation.parameters ?? []) delete parameter.example

// The document of this page only: what it sends goes where the page came from.
const prefix = root.pathname.replace(/\/$/, '')
const { password } = spec.components.securitySchemes.password.flows
password.tokenUrl = `${prefix}/api/v1/auth/login`
spec.servers[0].url = prefix || '/'

globalThis
  .SwaggerUIBundle({
    spec,
    dom_id: '#swagger-ui',
    // The bar of the standalone layout has an inline style and loads any URL.
    layout: 'BaseLayout',
    deepLinking: true,
    persistAuthorization: false,
    docExpansion: 'list',
    validatorUrl: null,
  })
  .initOAuth({})
