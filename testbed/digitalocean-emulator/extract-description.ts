// npm run extract:digitalocean -- <file>: takes out of DigitalOcean's description of its API (OpenAPI, JSON;
// digitalocean/openapi, Apache-2.0) what our client asks for, and writes it to api-description.generated.json beside this file, for the tests.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { extracted } from './description-extract.ts'

const [file] = process.argv.slice(2)
if (!file) {
  console.error('usage: extract-description.ts <DigitalOcean’s description, as JSON>')
  process.exit(64)
}
const text = `${JSON.stringify(extracted(JSON.parse(readFileSync(file, 'utf8'))))}\n`
writeFileSync(fileURLToPath(new URL('./api-description.generated.json', import.meta.url)), text)
console.log(`api-description.generated.json: ${Math.round(text.length / 1_000)} kB`)
