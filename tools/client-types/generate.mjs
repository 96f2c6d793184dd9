// Prints the types of the OpenAPI document that it reads: client/schema.ts. Run by npm run docs.
import openapiTypescript, { astToString } from 'openapi-typescript'
import { json } from 'node:stream/consumers'

const types = astToString(await openapiTypescript(await json(process.stdin)))
process.stdout.write(`// Written by npm run docs from docs/openapi.json.\n\n${types}`)
